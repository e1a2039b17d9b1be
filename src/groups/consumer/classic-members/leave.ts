import { KafkaError } from '../../../protocol/errors.ts'
import type { Leaver, LeaveResult } from '../../classic/leave.ts'
import type { Turn } from '../../turn.ts'
import { fence } from '../fence.ts'
import type { ConsumerGroup } from '../group.ts'
import type { ConsumerMember } from '../member.ts'

/** Decides a LeaveGroup in a consumer group; an operator may make members of either protocol leave so. */
export function leaveConsumers(turn: Turn, group: ConsumerGroup, leavers: readonly Leaver[]): LeaveResult[] {
  const leaving = new Set<ConsumerMember>()
  const results = leavers.map(leaver => {
    const { memberId, groupInstanceId } = leaver
    try {
      leaving.add(memberOf(group, leaver))
      return { memberId, groupInstanceId, errorCode: 0 }
    } catch (error) {
      if (error instanceof KafkaError) return { memberId, groupInstanceId, errorCode: error.code }
      throw error
    }
  })
  if (leaving.size > 0) fence(turn, group, [...leaving], 'they have said so')
  return results
}

/** By member id, or by group.instance.id alone. */
function memberOf(group: ConsumerGroup, { memberId, groupInstanceId }: Leaver): ConsumerMember {
  const isByInstance = memberId === '' && groupInstanceId !== null
  const present = isByInstance ? group.staticMember(groupInstanceId) : undefined
  return present ?? group.speaker(memberId, groupInstanceId)
}
