import { consumerGroupHeartbeat } from '../../src/broker/apis/68-consumer-group-heartbeat.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft, Of } from '../../src/protocol/schema.ts'
import type { WireClient } from './wire-client.ts'

export type Beat = Of<typeof consumerGroupHeartbeat.response>
type BeatDraft = Partial<Draft<typeof consumerGroupHeartbeat.request>>

/** A ConsumerGroupHeartbeat that says nothing but who sends it, unless `draft` says more. */
export function beatAs(
  client: WireClient,
  groupId: string,
  memberId: string,
  memberEpoch: number,
  draft: BeatDraft = {},
  version = 1,
): Promise<Beat> {
  return client.call(consumerGroupHeartbeat, version, { groupId, memberId, memberEpoch, ...draft })
}

/** Joins a consumer group, to read `topics`; again while the answer is that the coordinator is not there yet. */
export async function joinConsumers(
  client: WireClient,
  groupId: string,
  memberId: string,
  topics: string[],
  draft: BeatDraft = {},
  version = 1,
): Promise<Beat> {
  return beatAs(
    client,
    groupId,
    memberId,
    0,
    { rebalanceTimeoutMs: 30_000, subscribedTopicNames: topics, topicPartitions: [], ...draft },
    version,
  )
}

/** How many partitions an answer assigns, if it says. */
export function assignedCount({ assignment }: Beat): number | undefined {
  return assignment?.topicPartitions.reduce((sum, { partitions }) => sum + partitions.length, 0)
}

export function errorIn({ errorCode, errorMessage }: Beat): string {
  return errorCode === 0 ? 'NONE' : `${errorName(errorCode)}: ${errorMessage}`
}
