import type { Position } from './position.ts'
import { derivedOffset, type CommitStrategy } from './strategy.ts'

/**
 * Kafka's way: each partition has its own offset, and the view is a topic like others. Only a group that had another strategy before
 * has anything to do with it: partitions that were not committed since go on where the number has left them.
 */
export const perPartition: CommitStrategy = {
  commit(position, offsets) {
    leave(position)
    for (const { partition, value } of offsets) position.write(partition, value)
  },
  commitNumber(position, value) {
    if (!position.isOfAll) return position.writeNumber(value)
    position.hear(new Map())
    position.keep(value, 'left')
  },
  teller: position => partition =>
    position.stored(partition) ?? (position.isOfAll ? derivedOffset(position, partition) : undefined),
  tellNumber: position => position.number && { ...position.number, metadata: position.text },
  settle: leave,
  forget(position, partitions) {
    unfold(position)
    for (const partition of partitions) position.remove(partition)
  },
  forgetNumber(position) {
    unfold(position)
    position.removeNumber()
  },
}

/** From now on partitions are committed that the number does not know of. */
function leave(position: Position): void {
  if (position.isKept) position.keep({ ...position.number!, metadata: position.text }, 'left')
}

/** Gives the partitions that go by the number offsets of their own, so that it is the view's alone. */
function unfold(position: Position): void {
  const { number, text, now, topic } = position
  if (!number || !position.isOfAll) return
  const derived = position.partitions.map(partition => derivedOffset(position, partition)!)
  position.writeNumber({ ...number, metadata: text })
  position.hear(new Map())
  for (const partition of position.partitions) {
    // What a transaction under way has for it would come too late.
    if (position.stored(partition) || position.isPending(partition)) continue
    position.write(partition, { ...now, ...derived[partition]!, topicId: topic.id })
  }
}
