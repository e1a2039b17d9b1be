/**
 * WriteShareGroupState (KIP-932). Behaviour: what became of records of a share partition, answered when it is on disk. Who led it
 * before is FENCED_LEADER_EPOCH, and who has not heard of its new beginning FENCED_STATE_EPOCH.
 *
 * Versions: from 1 records that are done with are counted (KIP-1226).
 */
import { offsetOf } from '../../groups/share/offset.ts'
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from '../../protocol/messages/85-write-share-group-state.ts'
import { api } from '../api.ts'
import { allSharePartitions, eachSharePartition } from '../share-state-results.ts'
import { fromWire } from '../../groups/share/state/records.ts'

export const writeShareGroupState = api({
  key: 85,
  name: 'WriteShareGroupState',
  versions: '0-1',
  request: WriteShareGroupStateRequest,
  response: WriteShareGroupStateResponse,
  handle: async ({ groupId, topics }, context) => ({
    results: await eachSharePartition(
      topics,
      async (topicId, { partition, stateBatches, ...write }) => {
        const batches = stateBatches.map(fromWire).sort((a, b) => a.firstOffset - b.firstOffset)
        const startOffset = offsetOf(write.startOffset)
        await context.shareStates.write({ groupId, topicId, partition }, { ...write, startOffset, batches })
        return {}
      },
      {},
    ),
  }),
  refuse: ({ topics }, errorCode) => ({ results: allSharePartitions(topics, errorCode, {}) }),
})
