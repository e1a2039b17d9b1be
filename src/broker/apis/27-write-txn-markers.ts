/**
 * WriteTxnMarkers. Behaviour: ends a producer's transaction in each of the partitions with a marker, as its coordinator or an
 * administrator says (`kafka-transactions.sh abort`); answered when all markers are on disk. A marker for a producer that has
 * nothing open in a partition is written all the same.
 *
 * Versions: the transaction version from 2 (KIP-1228), by which a marker's epoch is judged.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../protocol/messages/27-write-txn-markers.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { TransactionEnd } from '../../storage/partition-log.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'

type Marker = WriteTxnMarkersRequest['markers'][number]
type Answer = Draft<typeof WriteTxnMarkersResponse>

/** What came of a marker in one partition. */
interface Written {
  readonly producerId: bigint
  readonly topic: string
  readonly partitionIndex: number
  readonly errorCode: number
}

export const writeTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1-2',
  request: WriteTxnMarkersRequest,
  response: WriteTxnMarkersResponse,

  async handle({ markers }, context) {
    return answer(await Promise.all(markers.flatMap(marker => write(marker, context))))
  },

  refuse: ({ markers }, errorCode) => answer(markers.flatMap(marker => partitionsOf(marker, errorCode))),
})

function write(marker: Marker, { transactionMarkers, clock }: Context): Promise<Written>[] {
  const end: TransactionEnd = {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    coordinatorEpoch: marker.coordinatorEpoch,
    type: marker.transactionResult ? 'COMMIT' : 'ABORT',
    timestamp: BigInt(clock.now()),
    transactionVersion: marker.transactionVersion,
  }
  return partitionsOf(marker, errorCodes.NONE).map(async written => {
    try {
      await transactionMarkers.write(written.topic, written.partitionIndex, end)
      return written
    } catch (error) {
      if (error instanceof KafkaError) return { ...written, errorCode: error.code }
      throw error
    }
  })
}

/** Every partition of a marker with this code. */
function partitionsOf({ producerId, topics }: Marker, errorCode: number): Written[] {
  return topics.flatMap(({ name: topic, partitionIndexes }) =>
    partitionIndexes.map(partitionIndex => ({ producerId, topic, partitionIndex, errorCode })),
  )
}

/** By producer, topic and partition, each once, as Kafka answers: where several markers name one, with what came of the last. */
function answer(written: readonly Written[]): Answer {
  const producers = new Map<bigint, Map<string, Map<number, number>>>()
  for (const { producerId, topic, partitionIndex, errorCode } of written) {
    const topics = producers.get(producerId) ?? new Map<string, Map<number, number>>()
    const partitions = topics.get(topic) ?? new Map<number, number>()
    producers.set(producerId, topics.set(topic, partitions.set(partitionIndex, errorCode)))
  }
  return {
    markers: [...producers].map(([producerId, topics]) => ({
      producerId,
      topics: [...topics].map(([name, partitions]) => ({
        name,
        partitions: [...partitions].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
      })),
    })),
  }
}
