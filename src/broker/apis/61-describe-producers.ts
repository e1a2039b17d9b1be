/**
 * DescribeProducers (KIP-664). Behaviour: the producers that a partition remembers, idempotent and transactional ones, and where the
 * open transaction of each began; so that an administrator finds transactions that hang.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../../protocol/messages/61-describe-producers.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { Catalog } from '../catalog.ts'
import { findPartition, findTopic, noTopicId } from '../partitions.ts'

type PartitionAnswer = Draft<typeof DescribeProducersResponse>['topics'][number]['partitions'][number]

export const describeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  request: DescribeProducersRequest,
  response: DescribeProducersResponse,

  handle: ({ topics }, { catalog }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(index => describe(name, index, catalog)),
    })),
  }),

  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        errorCode,
        activeProducers: [],
      })),
    })),
  }),
})

function describe(name: string, partitionIndex: number, catalog: Catalog): PartitionAnswer {
  try {
    if (!catalog.isLegalName(name)) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
    const log = findPartition(findTopic(catalog, { name, topicId: noTopicId }), partitionIndex)
    return { partitionIndex, errorCode: errorCodes.NONE, activeProducers: [...log.producers()] }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { partitionIndex, errorCode: error.code, errorMessage: error.message, activeProducers: [] }
  }
}
