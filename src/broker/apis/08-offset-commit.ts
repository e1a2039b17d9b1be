/**
 * OffsetCommit. Behaviour: keeps offsets of a group, all of a request or none; answered when they are on disk. Members
 * commit for their generation, anybody while the group is empty. Partitions that do not exist are refused one by one.
 * Versions: a retention of its own in 2-4, leader epochs from 6 (KIP-320), static members from 7 (KIP-345),
 * GROUP_ID_NOT_FOUND from 9 (KIP-848), topic ids from 10 (KIP-848).
 */
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  request: OffsetCommitRequest,
  response: OffsetCommitResponse,
  handle: (request, context) => context.groups.commitOffsets(request, callerOf(context)),
  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})
