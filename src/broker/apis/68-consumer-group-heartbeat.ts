/**
 * ConsumerGroupHeartbeat. Behaviour: a member of a consumer group joins, lives on, says what it reads and works on, or leaves; the
 * answer gives its epoch and, where that has changed, what it is to work on (KIP-848).
 * Versions: from 1 on patterns of topic names in RE2's words, and member ids that the clients make up (KIP-848, KIP-1082).
 */
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  request: ConsumerGroupHeartbeatRequest,
  response: ConsumerGroupHeartbeatResponse,
  handle: (request, context) => context.groups.consumerHeartbeat(request, callerOf(context)),
  refuse: (_request, errorCode) => ({ errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
})
