import type { ConsumerGroupCurrentMemberAssignmentValue } from '../../protocol/messages/consumer-offsets-records.ts'
import { areSame, each, hasPartition, type TopicPartitions } from '../modern/topic-partitions.ts'

/** Partitions, and the epoch at which each was given to its member: commits of older epochs are not the member's any more (KIP-1251). */
export type PartitionEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>

export const noPartitionEpochs: PartitionEpochs = new Map()

type RecordPartitions = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions']

/** Reads what a record says; records of before 4.3 say no epochs, and `memberEpoch` stands for them. */
export function partitionEpochs(list: RecordPartitions, memberEpoch: number): PartitionEpochs {
  return new Map(
    list.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, index) => [partition, assignmentEpochs?.[index] ?? memberEpoch])),
    ]),
  )
}

/** As a record says it, partitions ascending. */
export function listedWithEpochs(all: PartitionEpochs): RecordPartitions {
  return Array.from(all, ([topicId, epochs]) => {
    const partitions = [...epochs.keys()].sort((a, b) => a - b)
    return { topicId, partitions, assignmentEpochs: partitions.map(partition => epochs.get(partition)!) }
  })
}

/** All of them at one epoch. */
export function atEpoch(partitions: TopicPartitions, epoch: number): PartitionEpochs {
  return new Map(
    Array.from(partitions, ([topicId, of]) => [
      topicId,
      new Map(Array.from(of.keys(), partition => [partition, epoch])),
    ]),
  )
}

export function epochOf(all: PartitionEpochs, topicId: string, partition: number): number | undefined {
  return all.get(topicId)?.get(partition)
}

/** Those of `all` that are among `kept`, and the others. */
export function split(
  all: PartitionEpochs,
  kept: TopicPartitions,
): { kept: PartitionEpochs; others: PartitionEpochs } {
  const parts = {
    kept: new Map<string, Map<number, number>>(),
    others: new Map<string, Map<number, number>>(),
  }
  for (const [topicId, partition] of each(all)) {
    const part = hasPartition(kept, topicId, partition) ? parts.kept : parts.others
    setEpoch(part, topicId, partition, epochOf(all, topicId, partition)!)
  }
  return parts
}

/** Both; of what both have, the epochs of `right`. */
export function merged(left: PartitionEpochs, right: PartitionEpochs): PartitionEpochs {
  if (left.size === 0) return right
  if (right.size === 0) return left
  const both = new Map<string, Map<number, number>>()
  for (const all of [left, right]) {
    for (const [topicId, partition] of each(all))
      setEpoch(both, topicId, partition, epochOf(all, topicId, partition)!)
  }
  return both
}

/** Whether both have the same partitions at the same epochs. */
export function isSameWithEpochs(left: PartitionEpochs, right: PartitionEpochs): boolean {
  if (left === right) return true
  if (!areSame(left, right)) return false
  for (const [topicId, epochs] of left)
    for (const [partition, epoch] of epochs) if (right.get(topicId)?.get(partition) !== epoch) return false
  return true
}

function setEpoch(
  to: Map<string, Map<number, number>>,
  topicId: string,
  partition: number,
  epoch: number,
): void {
  let epochs = to.get(topicId)
  if (!epochs) to.set(topicId, (epochs = new Map()))
  epochs.set(partition, epoch)
}

/** The same, as if they had always been the member's: it comes back as another process, and commits from epoch 1 on. */
export function resetEpochs(all: PartitionEpochs): PartitionEpochs {
  return atEpoch(all, 0)
}
