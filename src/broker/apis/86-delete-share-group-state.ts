/** DeleteShareGroupState (KIP-932). Behaviour: forgets share partitions; those that are not there are none the less gone. */
import {
  DeleteShareGroupStateRequest,
  DeleteShareGroupStateResponse,
} from '../../protocol/messages/86-delete-share-group-state.ts'
import { api } from '../api.ts'
import { allSharePartitions, eachSharePartition } from '../share-state-results.ts'

export const deleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: '0',
  request: DeleteShareGroupStateRequest,
  response: DeleteShareGroupStateResponse,
  handle: async ({ groupId, topics }, context) => ({
    results: await eachSharePartition(
      topics,
      async (topicId, { partition }) => {
        await context.shareStates.delete({ groupId, topicId, partition })
        return {}
      },
      {},
    ),
  }),
  refuse: ({ topics }, errorCode) => ({ results: allSharePartitions(topics, errorCode, {}) }),
})
