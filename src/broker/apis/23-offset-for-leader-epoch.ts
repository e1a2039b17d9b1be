/**
 * OffsetForLeaderEpoch. Behaviour: where the records of an epoch end, so that a consumer notices that what it read is gone
 * (KIP-320). An epoch that left no records is answered by the nearest one before it, one that is yet to come by -1.
 *
 * Versions: the replica from 3; replicas are answered as consumers are.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { Catalog } from '../catalog.ts'
import { checkLeaderEpoch, findPartition, findReadable, noTopicId } from '../partitions.ts'

type Asked = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type PartitionAnswer = Draft<typeof OffsetForLeaderEpochResponse>['topics'][number]['partitions'][number]

export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  request: OffsetForLeaderEpochRequest,
  response: OffsetForLeaderEpochResponse,

  handle: (request, { catalog }) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(asked => find(topic, asked, catalog)),
    })),
  }),

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    })),
  }),
})

function find(name: string, asked: Asked, catalog: Catalog): PartitionAnswer {
  const { partition } = asked
  try {
    const log = findPartition(findReadable(catalog, { name, topicId: noTopicId }), partition)
    checkLeaderEpoch(log, asked.currentLeaderEpoch)
    const { leaderEpoch, endOffset } = log.epochEnd(asked.leaderEpoch)
    return { partition, errorCode: errorCodes.NONE, leaderEpoch, endOffset }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { partition, errorCode: error.code }
  }
}
