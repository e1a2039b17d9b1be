/**
 * DescribeShareGroupOffsets (KIP-932). Behaviour: where share groups begin in each partition, as it is on disk; topics of null ask for
 * all that the group has read. -1 where nobody has read yet, be it that there is no such group or partition.
 *
 * Versions: the lag from 1 (KIP-1226): what is neither done with nor before the start.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../protocol/messages/90-describe-share-group-offsets.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { noTopicId } from '../partitions.ts'

type GroupAnswer = Draft<typeof DescribeShareGroupOffsetsResponse>['groups'][number]
type PartitionAnswer = GroupAnswer['topics'][number]['partitions'][number]
type Asked = DescribeShareGroupOffsetsRequest['groups'][number]

export const describeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: '0-1',
  request: DescribeShareGroupOffsetsRequest,
  response: DescribeShareGroupOffsetsResponse,
  handle: async ({ groups }, context) => ({
    groups: await Promise.all(groups.map(asked => describe(asked, context))),
  }),
  refuse: ({ groups }, errorCode) => ({
    groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
  }),
})

async function describe({ groupId, topics }: Asked, context: Context): Promise<GroupAnswer> {
  try {
    const initialized = await context.shareGroups.initialized(groupId)
    const asked =
      topics ?? initialized.map(({ topicName, partitions }) => ({ topicName, partitions: [...partitions] }))
    const described = asked.map(async ({ topicName, partitions }) => {
      const topic = context.catalog.topic(topicName)
      const topicId = topic?.id ?? noTopicId
      return {
        topicName,
        topicId,
        partitions: await Promise.all(
          partitions.map(each => describePartition(groupId, topicId, each, context)),
        ),
      }
    })
    return { groupId, topics: await Promise.all(described), errorCode: errorCodes.NONE }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { groupId, topics: [], errorCode: error.code, errorMessage: error.message }
  }
}

async function describePartition(
  groupId: string,
  topicId: string,
  partition: number,
  context: Context,
): Promise<PartitionAnswer> {
  const log = context.catalog.topicById(topicId)?.partitions[partition]
  const state = log && (await context.shareStates.summary({ groupId, topicId, partition }))
  if (!state) return { ...unknown, partitionIndex: partition, errorCode: errorCodes.NONE }
  const { startOffset, deliveryCompleteCount: doneCount, leaderEpoch } = state
  const isKnown = startOffset >= 0 && doneCount >= 0
  return {
    partitionIndex: partition,
    startOffset: BigInt(startOffset),
    leaderEpoch,
    lag: isKnown ? log.highWatermark - BigInt(startOffset + doneCount) : -1n,
    errorCode: errorCodes.NONE,
  }
}

const unknown = { startOffset: -1n, leaderEpoch: 0, lag: -1n }
