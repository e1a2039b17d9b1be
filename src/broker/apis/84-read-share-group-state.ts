/**
 * ReadShareGroupState (KIP-932). Behaviour: all that is on disk of a share partition, to whoever leads it from this leader epoch on;
 * an older one is FENCED_LEADER_EPOCH.
 */
import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from '../../protocol/messages/84-read-share-group-state.ts'
import { api } from '../api.ts'
import { allSharePartitions, eachSharePartition } from '../share-state-results.ts'
import { toWire, type WireStateBatch } from '../../groups/share/state/records.ts'

export const readShareGroupState = api({
  key: 84,
  name: 'ReadShareGroupState',
  versions: '0',
  request: ReadShareGroupStateRequest,
  response: ReadShareGroupStateResponse,
  handle: async ({ groupId, topics }, context) => ({
    results: await eachSharePartition(
      topics,
      async (topicId, { partition, leaderEpoch }) => {
        const state = await context.shareStates.read({ groupId, topicId, partition }, leaderEpoch)
        const { stateEpoch, startOffset, batches } = state
        return { stateEpoch, startOffset: BigInt(startOffset), stateBatches: batches.map(toWire) }
      },
      unknown,
    ),
  }),
  refuse: ({ topics }, errorCode) => ({ results: allSharePartitions(topics, errorCode, unknown) }),
})

const unknown = { stateEpoch: 0, startOffset: -1n, stateBatches: [] as WireStateBatch[] }
