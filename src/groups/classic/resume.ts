import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { keepAlive, prepareRebalance } from './rebalance.ts'

/** After the log was read: every member has a session's time to be heard of, and a group that is too large shrinks. */
export function resumeClassic(turn: Turn, group: ClassicGroup): void {
  for (const member of group.members.values()) keepAlive(turn, group, member)
  if (group.members.size > turn.environment.settings.groupMaxSize) {
    prepareRebalance(turn, group, 'the group is larger than group.max.size allows')
  }
}
