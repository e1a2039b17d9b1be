/**
 * DeleteShareGroupOffsets (KIP-932). Behaviour: to an empty share group some topics are as if it had never read them. A group with
 * members is NON_EMPTY_GROUP.
 */
import { errorCodes } from '../../protocol/errors.ts'
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../protocol/messages/92-delete-share-group-offsets.ts'
import { api } from '../api.ts'
import { noTopicId } from '../partitions.ts'

export const deleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: '0',
  request: DeleteShareGroupOffsetsRequest,
  response: DeleteShareGroupOffsetsResponse,

  async handle({ groupId, topics }, { catalog, shareGroups }) {
    const found = topics.map(({ topicName }) => ({
      topicName,
      topicId: catalog.topic(topicName)?.id ?? noTopicId,
    }))
    const topicIds = new Set(found.map(({ topicId }) => topicId).filter(topicId => topicId !== noTopicId))
    await shareGroups.deleteOffsets(groupId, topicIds)
    return {
      errorCode: errorCodes.NONE,
      responses: found.map(topic => ({
        ...topic,
        errorCode: topic.topicId === noTopicId ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION : errorCodes.NONE,
      })),
    }
  },

  refuse: (_request, errorCode) => ({ errorCode, responses: [] }),
})
