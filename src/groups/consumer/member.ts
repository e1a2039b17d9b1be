import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '../../protocol/messages/consumer-offsets-records.ts'
import type { MemberEpochs } from '../modern/member-epoch.ts'
import { noPartitionEpochs, partitionEpochs, type PartitionEpochs } from './partition-epochs.ts'

/** Kafka's numbers of a member's states (MemberState). */
export const memberStates = {
  /** Has what its epoch gives it. */
  stable: 0,
  /** Is to let go of partitions before it goes on to the next epoch. */
  unrevokedPartitions: 1,
  /** Is in the epoch, and waits for partitions that others have not let go of. */
  unreleasedPartitions: 2,
} as const

/** What a member says of itself. */
export type MemberMetadata = ConsumerGroupMemberMetadataValue

/** A member that has said nothing yet. */
export const noMetadata: MemberMetadata = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  subscribedTopicRegex: '',
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  classicMemberMetadata: null,
}

/** Topic names as records have them: sorted, each once. */
export function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

/** What a member has, and is to let go of, as of its epoch. */
export interface CurrentAssignment extends MemberEpochs {
  readonly state: number
  readonly assigned: PartitionEpochs
  /** It may still work on these, so that nobody else may have them. */
  readonly revoking: PartitionEpochs
}

/** Before its first answer. */
export const noAssignment: CurrentAssignment = {
  memberEpoch: 0,
  previousMemberEpoch: -1,
  state: memberStates.stable,
  assigned: noPartitionEpochs,
  revoking: noPartitionEpochs,
}

/** A member of a consumer group (ConsumerGroupMember). What records say changes by `replay` alone; deadlines are soft. */
export class ConsumerMember {
  readonly memberId: string
  metadata: MemberMetadata = noMetadata
  current: CurrentAssignment = noAssignment
  /** When it is taken for dead. */
  readonly session: Deadline
  /** Until when it has to have let go of what it is to; of a member of the classic protocol, to have joined again. */
  readonly rebalance: Deadline
  /** Until when a member of the classic protocol has to have asked for its assignment. */
  readonly sync: Deadline

  constructor(memberId: string, clock: Clock) {
    this.memberId = memberId
    this.session = new Deadline(clock)
    this.rebalance = new Deadline(clock)
    this.sync = new Deadline(clock)
  }

  /** Speaks JoinGroup, SyncGroup and Heartbeat. */
  get isClassic(): boolean {
    return this.metadata.classicMemberMetadata !== null
  }

  get instanceId(): string | null {
    return this.metadata.instanceId
  }

  /** The pattern that it subscribes to; undefined for none. */
  get regex(): string | undefined {
    return this.metadata.subscribedTopicRegex || undefined
  }

  /** Has all that the target of `epoch` gives it, and nothing else. */
  isReconciledTo(epoch: number): boolean {
    return this.current.state === memberStates.stable && this.current.memberEpoch === epoch
  }

  /** The bytes of a record are only lent. */
  replayMetadata(value: ConsumerGroupMemberMetadataValue): void {
    const { classicMemberMetadata: classic } = value
    this.metadata = {
      ...value,
      classicMemberMetadata: classic && {
        ...classic,
        supportedProtocols: classic.supportedProtocols.map(({ name, metadata }) => ({
          name,
          metadata: Buffer.from(metadata),
        })),
      },
    }
  }

  replayAssignment(value: ConsumerGroupCurrentMemberAssignmentValue | null): void {
    this.current = value
      ? {
          memberEpoch: value.memberEpoch,
          previousMemberEpoch: value.previousMemberEpoch,
          state: value.state,
          assigned: partitionEpochs(value.assignedPartitions, value.memberEpoch),
          revoking: partitionEpochs(value.partitionsPendingRevocation, value.memberEpoch),
        }
      : noAssignment
  }

  cancelDeadlines(): void {
    this.session.cancel()
    this.rebalance.cancel()
    this.sync.cancel()
  }
}
