import type { Turn } from '../turn.ts'
import { keepAlive, watchRevocation } from './deadlines.ts'
import type { ConsumerGroup } from './group.ts'

/** After the log was read: every member has a session's time to be heard of, and another one to let go of what it is to. */
export function resumeConsumers(turn: Turn, group: ConsumerGroup): void {
  for (const member of group.members.values()) {
    keepAlive(turn, group, member)
    watchRevocation(turn, group, member)
  }
}
