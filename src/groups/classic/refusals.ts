import type { JoinReply, SyncReply } from './member.ts'
import { noBytes } from './member.ts'

/** The JoinGroup reply that says nothing but an error. */
export function joinRefusal(memberId: string, errorCode: number): JoinReply {
  return { errorCode, protocolName: '', leader: '', memberId, members: [] }
}

/** The SyncGroup reply that says nothing but an error. */
export function syncRefusal(errorCode: number): SyncReply {
  return { errorCode, assignment: noBytes }
}
