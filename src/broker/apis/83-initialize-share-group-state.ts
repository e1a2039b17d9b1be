/**
 * InitializeShareGroupState (KIP-932). Behaviour: a share partition begins anew at an offset, or with -1 where its first reader will
 * say. An older state epoch is FENCED_STATE_EPOCH. Brokers of Kafka ask each other this; here it is for whoever administers.
 */
import { offsetOf } from '../../groups/share/offset.ts'
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts'
import { api } from '../api.ts'
import { sharedPartition } from '../shared-partition.ts'
import { allSharePartitions, eachSharePartition } from '../share-state-results.ts'

export const initializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: '0',
  request: InitializeShareGroupStateRequest,
  response: InitializeShareGroupStateResponse,
  handle: async ({ groupId, topics }, context) => ({
    results: await eachSharePartition(
      topics,
      async (topicId, { partition, stateEpoch, startOffset }) => {
        sharedPartition(context, topicId, partition)
        await context.shareStates.initialize(
          { groupId, topicId, partition },
          stateEpoch,
          offsetOf(startOffset),
        )
        return {}
      },
      {},
    ),
  }),
  refuse: ({ topics }, errorCode) => ({ results: allSharePartitions(topics, errorCode, {}) }),
})
