import { readAcknowledgements, type AcknowledgementBatch } from '../groups/share/acknowledgement.ts'
import { clientError } from '../groups/share/led-partitions.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Context } from './context.ts'
import { findPartition, findTopic } from './partitions.ts'

/** Who says something of records. */
export interface Acknowledger {
  readonly groupId: string
  readonly memberId: string
  /** Locks may be renewed (KIP-1222). */
  readonly isRenewAck: boolean
}

interface AcknowledgedTopic {
  readonly topicId: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly acknowledgementBatches: readonly AcknowledgementBatch[]
  }[]
}

/** What came of the acknowledgements in one partition. */
export interface Acknowledged {
  readonly topicId: string
  readonly partition: number
  readonly error: KafkaError | undefined
}

/** Settles what a request says of records, each partition on its own. Resolves when all of it is on disk, or refused. */
export function acknowledgeAll(
  acknowledger: Acknowledger,
  topics: readonly AcknowledgedTopic[],
  context: Context,
): Promise<Acknowledged[]> {
  const asked = topics.flatMap(({ topicId, partitions }) =>
    partitions.map(partition => ({ topicId, ...partition })),
  )
  return Promise.all(
    asked
      .filter(({ acknowledgementBatches }) => acknowledgementBatches.length > 0)
      .map(async ({ topicId, partitionIndex: partition, acknowledgementBatches }) => {
        try {
          await acknowledge(acknowledger, topicId, partition, acknowledgementBatches, context)
          return { topicId, partition, error: undefined }
        } catch (error) {
          return { topicId, partition, error: clientError(error) }
        }
      }),
  )
}

async function acknowledge(
  { groupId, memberId, isRenewAck }: Acknowledger,
  topicId: string,
  partition: number,
  batches: readonly AcknowledgementBatch[],
  context: Context,
): Promise<void> {
  const log = findPartition(findTopic(context.catalog, { topicId }), partition)
  const acknowledgements = readAcknowledgements(batches, isRenewAck)
  const led = await context.shareReaders.led.open({ groupId, topicId, partition }, log)
  await led.acknowledge(memberId, acknowledgements)
}
