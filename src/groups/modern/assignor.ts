import type { TopicPartitions } from './topic-partitions.ts'

/** A member as an assignor sees it. */
export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** The ids of those of its topics that are there. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have before. */
  readonly assigned: TopicPartitions
}

/** Whom to assign to, and what there is. */
export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  /** How many partitions each topic of the members has. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/** Assigns every partition that somebody subscribes to: what each member is to have, by member id. Gives what it decides for all members. */
export type Assignor = (input: AssignorInput) => Map<string, TopicPartitions>
