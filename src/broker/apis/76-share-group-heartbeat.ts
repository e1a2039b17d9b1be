/**
 * ShareGroupHeartbeat (KIP-932). Behaviour: joins, lives on, leaves; each member is told the partitions that it is to read, which
 * others may read as well. Partitions that the group never read are made known to the share coordinator first, so that the
 * first answer already has them, where Kafka's first one has none.
 */
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

export const shareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: '1',
  request: ShareGroupHeartbeatRequest,
  response: ShareGroupHeartbeatResponse,
  handle: (request, context) => context.shareGroups.heartbeat(request, callerOf(context)),
  refuse: (_request, errorCode, _version, errorMessage) => ({
    errorCode,
    errorMessage,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
  }),
})
