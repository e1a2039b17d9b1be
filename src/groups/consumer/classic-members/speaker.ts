import { KafkaError } from '../../../protocol/errors.ts'
import type { ConsumerGroup } from '../group.ts'
import type { ConsumerMember } from '../member.ts'

/** What a request of the classic protocol says of its member. */
interface Spoken {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** The classic member that a request speaks for, at its present epoch. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION. */
export function classicSpeaker(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generationId }: Spoken,
): ConsumerMember {
  const member = group.speaker(memberId, groupInstanceId)
  if (!member.isClassic)
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`)
  if (member.current.memberEpoch !== generationId) throw new KafkaError('ILLEGAL_GENERATION')
  return member
}
