import { KafkaError } from '../../protocol/errors.ts'
import { ClassicGroup } from '../classic/group.ts'
import type { Turn } from '../turn.ts'
import { ConsumerGroup } from './group.ts'
import { planUpgrade } from './upgrade.ts'

/** A way into a consumer group. */
export interface Entrance {
  /** The group, where it is a consumer group already. */
  readonly group: ConsumerGroup | undefined
  readonly memberCount: number
  /** Makes it one, where it is not: the first thing that is written. */
  enter(): ConsumerGroup
}

/**
 * The group that a member wants to be in. One that joins may find nobody there, or a group whose members speak the classic protocol:
 * then that becomes a consumer group with all of them in it. Throws GROUP_ID_NOT_FOUND where there is none and can be none.
 */
export function findEntrance(turn: Turn, groupId: string, isJoining: boolean): Entrance {
  const present = turn.state.groups.get(groupId)
  if (present instanceof ConsumerGroup) {
    return { group: present, memberCount: present.members.size, enter: () => present }
  }
  if (!present && !isJoining)
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
  if (present && (!isJoining || !(present instanceof ClassicGroup)))
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
  if (!present || present.isEmpty) {
    return {
      group: undefined,
      memberCount: 0,
      enter() {
        for (const tombstone of present?.tombstones() ?? []) turn.write(tombstone)
        return turn.state.put(new ConsumerGroup(groupId, turn.environment.clock))
      },
    }
  }
  const upgrade = planUpgrade(turn, present as ClassicGroup)
  return { group: undefined, memberCount: upgrade.memberCount, enter: upgrade.carryOut }
}
