/**
 * OffsetDelete. Behaviour: removes offsets of topics that no member of the group reads, and only of empty groups where
 * what they read is not known (KIP-496).
 */
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import { api } from '../api.ts'

export const offsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  request: OffsetDeleteRequest,
  response: OffsetDeleteResponse,
  async handle(request, { groups }) {
    return { errorCode: 0, topics: await groups.deleteOffsets(request) }
  },
  refuse: (_request, errorCode) => ({ errorCode, topics: [] }),
})
