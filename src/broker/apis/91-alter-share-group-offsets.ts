/**
 * AlterShareGroupOffsets (KIP-932). Behaviour: a share group that is empty, or new, goes on from other offsets; what it had done with behind them is
 * handed out again. A group with members is NON_EMPTY_GROUP.
 */
import { offsetOf } from '../../groups/share/offset.ts'
import { errorCodes } from '../../protocol/errors.ts'
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts'
import { api } from '../api.ts'
import { noTopicId } from '../partitions.ts'

export const alterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: '0',
  request: AlterShareGroupOffsetsRequest,
  response: AlterShareGroupOffsetsResponse,

  async handle({ groupId, topics }, { catalog, shareGroups }) {
    const planned = topics.map(({ topicName, partitions }) => {
      const topic = catalog.topic(topicName)
      return {
        topicName,
        topicId: topic?.id ?? noTopicId,
        partitions: partitions.map(asked => ({
          ...asked,
          isThere: topic?.partitions[asked.partitionIndex] !== undefined,
        })),
      }
    })
    const starts = planned.flatMap(({ topicName, topicId, partitions }) =>
      partitions
        .filter(({ isThere }) => isThere)
        .map(({ partitionIndex: partition, startOffset }) => ({
          topicId,
          topicName,
          partition,
          startOffset: offsetOf(startOffset),
        })),
    )
    await shareGroups.alterOffsets(groupId, starts)
    return {
      errorCode: errorCodes.NONE,
      responses: planned.map(topic => ({
        ...topic,
        partitions: topic.partitions.map(({ partitionIndex, isThere }) => ({
          partitionIndex,
          errorCode: isThere ? errorCodes.NONE : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
        })),
      })),
    }
  },

  refuse: (_request, errorCode, _version, errorMessage) => ({ errorCode, errorMessage, responses: [] }),
})
