import type { Position } from './position.ts'
import { derivedOffset, type CommitStrategy } from './strategy.ts'

/**
 * Kafka's way: each partition has its own offset, and the view is a topic like others. Only a group that had another strategy before
 * has anything to do with it: partitions without an offset go on where the number leaves them.
 */
export const perPartition: CommitStrategy = {
  commit(position, offsets) {
    unfold(position)
    for (const { partition, value } of offsets) position.write(partition, value)
  },
  commitNumber(position, value) {
    unfold(position)
    position.writeNumber(value)
  },
  teller: position => partition =>
    position.stored(partition) ?? (position.isKept ? derivedOffset(position, partition) : undefined),
  tellNumber: position => position.number && { ...position.number, metadata: position.text },
  settle: unfold,
  forget(position, partitions) {
    unfold(position)
    for (const partition of partitions) position.remove(partition)
  },
  forgetNumber(position) {
    unfold(position)
    position.removeNumber()
  },
}

/** Gives each partition the offset that a number which was kept for all has it at; from then on it is the view's alone. */
function unfold(position: Position): void {
  const { number, text, now, topic } = position
  if (!number || !position.isKept) return
  const derived = position.partitions.map(partition => derivedOffset(position, partition)!)
  position.writeNumber({ ...number, metadata: text })
  position.hear(new Map())
  for (const partition of position.partitions) {
    if (position.stored(partition)) continue
    position.write(partition, { ...now, ...derived[partition]!, topicId: topic.id })
  }
}
