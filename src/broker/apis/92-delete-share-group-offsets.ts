/**
 * DeleteShareGroupOffsets (KIP-932). Behaviour: to an empty share group some topics are as if it had never read them; one that it
 * never has is UNKNOWN_TOPIC_OR_PARTITION. A group with members is NON_EMPTY_GROUP.
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
    const deleted = await shareGroups.deleteOffsets(groupId, new Set(found.map(({ topicId }) => topicId)))
    return {
      errorCode: errorCodes.NONE,
      responses: found.map(topic => ({
        ...topic,
        ...(deleted.has(topic.topicId) ? done : reasonNot(topic)),
      })),
    }
  },

  refuse: (_request, errorCode, _version, errorMessage) => ({ errorCode, errorMessage, responses: [] }),
})

const done = { errorCode: errorCodes.NONE }

function reasonNot({ topicId }: { topicId: string }) {
  return {
    errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage:
      topicId === noTopicId
        ? 'This server does not host this topic-partition.'
        : 'There is no offset information to delete.',
  }
}
