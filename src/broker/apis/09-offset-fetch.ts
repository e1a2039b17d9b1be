/**
 * OffsetFetch. Behaviour: tells what was committed and is on disk; offset -1 where nothing was. A topic list of null asks
 * for everything that the group has. With requireStable, offsets that a transaction may change are UNSTABLE_OFFSET_COMMIT.
 * Versions: null topics and an error of the whole from 2, leader epochs from 5 (KIP-320), requireStable from 7 (KIP-447),
 * several groups from 8 (KIP-709), member ids and epochs from 9 and topic ids from 10 (KIP-848).
 */
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { manyGroupsVersion, type FetchedGroup } from '../../groups/offsets/fetch.ts'
import type { Draft, Of } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

/** Before version 2 only partitions have errors. */
const groupErrorVersion = 2

export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  request: OffsetFetchRequest,
  response: OffsetFetchResponse,

  async handle(request, context) {
    const asked = askedGroups(request, context.version)
    const groups = await context.groups.fetchOffsets(asked, callerOf(context), request.requireStable)
    return reply(request, groups, context.version)
  },

  refuse: (request, errorCode, version) =>
    reply(
      request,
      askedGroups(request, version).map(({ groupId }) => ({ groupId, topics: [], errorCode })),
      version,
    ),
})

type Request = Of<typeof OffsetFetchRequest>

function askedGroups(request: Request, version: number): Request['groups'] {
  if (version >= manyGroupsVersion) return request.groups
  const topics = request.topics?.map(topic => ({ ...topic, topicId: '' })) ?? null
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }]
}

function reply(
  request: Request,
  groups: readonly FetchedGroup[],
  version: number,
): Draft<typeof OffsetFetchResponse> {
  if (version >= manyGroupsVersion) return { groups }
  const { topics, errorCode } = groups[0]!
  if (errorCode === 0 || version >= groupErrorVersion) return { topics, errorCode }
  return {
    topics: (request.topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        committedOffset: -1n,
        metadata: '',
        errorCode,
      })),
    })),
  }
}
