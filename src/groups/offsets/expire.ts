import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import { isRead } from '../commits/choice.ts'
import type { Group } from '../group.ts'
import { offsetCommit } from '../records.ts'
import type { Turn } from '../turn.ts'

/**
 * Decides what offsets are too old (`offsets.retention.minutes`, KIP-211): of every group those that nobody reads for. A group that is
 * empty, and has no offset left nor one in a transaction under way, goes with them (GroupCoordinatorShard.cleanupGroupMetadata).
 */
export function expireOffsets(turn: Turn): void {
  for (const group of Array.from(turn.state.groups.values())) {
    // Share groups keep their positions elsewhere, and stay until somebody deletes them.
    if (group.type === 'share') continue
    const hasOffsets = expireOffsetsOf(turn, group)
    if (hasOffsets || !group.isEmpty || turn.state.pendingOffsets.hasGroup(group.groupId)) continue
    turn.environment.logger.info({ group: group.groupId }, 'an empty group without offsets is removed')
    for (const tombstone of group.tombstones()) turn.write(tombstone)
  }
}

/** True if any of the group's offsets stays. */
function expireOffsetsOf(turn: Turn, group: Group): boolean {
  let hasOffsets = false
  for (const [topic, offsets] of Array.from(turn.state.offsets.of(group.groupId))) {
    const isInUse = isRead(turn, group.groupId, topic)
    for (const [partition, value] of Array.from(offsets)) {
      // Its removal would take what a transaction under way has for the partition as well.
      const isPending = turn.state.pendingOffsets.has(group.groupId, topic, partition)
      if (isInUse || isPending || !isExpired(turn, group, value)) hasOffsets = true
      else turn.write(offsetCommit({ group: group.groupId, topic, partition }, null))
    }
  }
  return hasOffsets
}

/** Commits of old could name the time themselves. */
function isExpired(turn: Turn, group: Group, value: OffsetCommitValue): boolean {
  const since = group.unusedSinceMs(value)
  if (since === undefined) return false
  const nowMs = BigInt(turn.nowMs)
  if (value.expireTimestamp !== -1n) return nowMs >= value.expireTimestamp
  return nowMs - since >= BigInt(turn.environment.settings.offsetsRetentionMs)
}
