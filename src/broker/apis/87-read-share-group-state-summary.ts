/**
 * ReadShareGroupStateSummary (KIP-932). Behaviour: where a share partition begins, for those who want to know how far a group has
 * come; -1 where nobody has read.
 *
 * Versions: from 1 records that are done with are counted (KIP-1226).
 */
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts'
import { api } from '../api.ts'
import { sharedPartition } from '../shared-partition.ts'
import { allSharePartitions, eachSharePartition } from '../share-state-results.ts'

export const readShareGroupStateSummary = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: '0-1',
  request: ReadShareGroupStateSummaryRequest,
  response: ReadShareGroupStateSummaryResponse,
  handle: async ({ groupId, topics }, context) => ({
    results: await eachSharePartition(
      topics,
      async (topicId, { partition }) => {
        sharedPartition(context, topicId, partition)
        const state = await context.shareStates.summary({ groupId, topicId, partition })
        if (!state) return unknown
        const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = state
        return { stateEpoch, leaderEpoch, startOffset: BigInt(startOffset), deliveryCompleteCount }
      },
      unknown,
    ),
  }),
  refuse: ({ topics }, errorCode) => ({ results: allSharePartitions(topics, errorCode, unknown) }),
})

const unknown = { stateEpoch: 0, leaderEpoch: 0, startOffset: -1n, deliveryCompleteCount: -1 }
