import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type {
  ShareGroupCurrentMemberAssignmentValue,
  ShareGroupMemberMetadataValue,
} from '../../protocol/messages/consumer-offsets-records.ts'
import type { MemberEpochs } from '../modern/member-epoch.ts'
import { noPartitions, topicPartitions, type TopicPartitions } from '../modern/topic-partitions.ts'

/** A member of a share group. What is durable changes by `replay` alone. */
export class ShareMember implements MemberEpochs {
  readonly memberId: string
  rackId: string | null = null
  clientId = ''
  clientHost = ''
  subscribedTopicNames: readonly string[] = []
  memberEpoch = 0
  previousMemberEpoch = 0
  assigned: TopicPartitions = noPartitions
  /** When it counts as gone, unless it is heard of. */
  readonly session: Deadline

  constructor(memberId: string, clock: Clock) {
    this.memberId = memberId
    this.session = new Deadline(clock)
  }

  /** Applies a ShareGroupMemberMetadata record. */
  replay({ rackId, clientId, clientHost, subscribedTopicNames }: ShareGroupMemberMetadataValue): void {
    Object.assign(this, { rackId, clientId, clientHost, subscribedTopicNames })
  }

  /** Applies a ShareGroupCurrentMemberAssignment record. */
  replayAssignment(value: ShareGroupCurrentMemberAssignmentValue): void {
    this.memberEpoch = value.memberEpoch
    this.previousMemberEpoch = value.previousMemberEpoch
    this.assigned = topicPartitions(value.assignedPartitions)
  }
}
