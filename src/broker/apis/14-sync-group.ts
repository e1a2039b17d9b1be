/**
 * SyncGroup. Behaviour: the leader brings everybody's assignment; the others park until it has, and until it is on disk.
 * Versions: static members from 3 (KIP-345), the protocol's type and name from 5 (KIP-559).
 */
import { syncRefusal } from '../../groups/classic/refusals.ts'
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  request: SyncGroupRequest,
  response: SyncGroupResponse,
  handle: (request, context) => context.groups.sync(request, callerOf(context)),
  refuse: (_request, errorCode) => syncRefusal(errorCode),
})
