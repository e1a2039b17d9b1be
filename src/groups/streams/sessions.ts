import type { Turn } from '../turn.ts'
import type { StreamsGroup } from './group.ts'
import type { StreamsMember } from './member.ts'
import { epochRecord, memberTombstones } from './records.ts'

/** How a streams group rids itself of members that are silent, or do not give back what they were told to. */

/** Gives a member another session to live. */
export function keepAlive(turn: Turn, group: StreamsGroup, memberId: string): void {
  const timeoutMs = turn.environment.configs.get('streams.session.timeout.ms', group.groupId)
  group.deadline(group.sessions, memberId).set(
    timeoutMs,
    turn.later(turn => fence(turn, group, memberId, 'its session has expired')),
  )
}

/** A member that is to give back tasks has its rebalance timeout for it; one that is not, all the time. */
export function watchRevocation(turn: Turn, group: StreamsGroup, member: StreamsMember): void {
  const { memberId, memberEpoch, rebalanceTimeoutMs, state } = member
  if (state !== 'unrevokedTasks') {
    group.revocations.get(memberId)?.cancel()
    return
  }
  group.deadline(group.revocations, memberId).set(
    rebalanceTimeoutMs,
    turn.later(turn => {
      if (group.members.get(memberId)?.memberEpoch !== memberEpoch) return
      fence(turn, group, memberId, `it has not left epoch ${memberEpoch} in ${rebalanceTimeoutMs} ms`)
    }),
  )
}

/** Takes a member out, whatever it has: the group goes on to the next epoch. */
export function fence(turn: Turn, group: StreamsGroup, memberId: string, reason: string): void {
  if (!group.members.has(memberId)) return
  for (const tombstone of memberTombstones(group.groupId, memberId)) turn.write(tombstone)
  turn.write(
    epochRecord(group.groupId, {
      epoch: group.epoch + 1,
      metadataHash: group.metadataHash,
      validatedTopologyEpoch: group.validatedTopologyEpoch,
      lastAssignmentConfigs: configList(group.lastAssignmentConfigs),
    }),
  )
  turn.environment.logger.info(
    { group: group.groupId, member: memberId, epoch: group.epoch, reason },
    'a member leaves a streams group',
  )
}

export function configList(configs: ReadonlyMap<string, string>): { key: string; value: string }[] {
  return Array.from(configs, ([key, value]) => ({ key, value }))
}

/** After the log was read: members of old have a session's time from now to be heard of. */
export function resumeStreams(turn: Turn, group: StreamsGroup): void {
  for (const member of group.members.values()) {
    keepAlive(turn, group, member.memberId)
    watchRevocation(turn, group, member)
  }
}
