/**
 * Heartbeat. Behaviour: a member of the current generation lives for another session timeout; REBALANCE_IN_PROGRESS
 * tells it to join again.
 * Versions: static members from 3 (KIP-345).
 */
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import { api } from '../api.ts'

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  request: HeartbeatRequest,
  response: HeartbeatResponse,
  async handle(request, { groups }) {
    await groups.heartbeat(request)
    return { errorCode: 0 }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
})
