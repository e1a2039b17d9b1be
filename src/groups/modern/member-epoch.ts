import { KafkaError } from '../../protocol/errors.ts'

/** What a member says instead of its epoch as it joins, as it leaves, and as a static member that is to come back (KIP-848). */
export const joinEpoch = 0
export const leaveEpoch = -1
export const staticLeaveEpoch = -2

/** A member as the fencing rules know it. */
export interface MemberEpochs {
  readonly memberEpoch: number
  /** The one that it had before; it may not have heard of the present one. */
  readonly previousMemberEpoch: number
}

/**
 * Throws FENCED_MEMBER_EPOCH unless a heartbeat's epoch is the member's, or the one before, which a lost answer explains: then
 * `isExplained` has to hold as well (that a consumer owns nothing that it could not own by then).
 */
export function checkHeartbeatEpoch(
  { memberEpoch, previousMemberEpoch }: MemberEpochs,
  received: number,
  isExplained: () => boolean = () => true,
): void {
  if (received > memberEpoch) {
    throw new KafkaError(
      'FENCED_MEMBER_EPOCH',
      `The member epoch (${received}) is greater than the one known by the group coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`,
    )
  }
  if (received < memberEpoch && (received !== previousMemberEpoch || !isExplained())) {
    throw new KafkaError(
      'FENCED_MEMBER_EPOCH',
      `The member epoch (${received}) is smaller than the one known by the group coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`,
    )
  }
}
