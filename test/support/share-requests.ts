import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { shareGroupHeartbeat } from '../../src/broker/apis/76-share-group-heartbeat.ts'
import { shareAcknowledge } from '../../src/broker/apis/79-share-acknowledge.ts'
import { shareFetch } from '../../src/broker/apis/78-share-fetch.ts'
import { resourceTypes } from '../../src/broker/configs/resources.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Draft, Of } from '../../src/protocol/schema.ts'
import { connect, startBroker } from './broker.ts'
import { alter } from './configs.ts'
import { batchOf, makeTopic, produceTo, uniqueName, type TestTopic } from './requests.ts'
import type { WireClient } from './wire-client.ts'

/** Operations of IncrementalAlterConfigs. */
const set = 0

/** A broker, a topic that holds values, and a share group that reads it from its beginning. */
export interface SharePlace {
  readonly client: WireClient
  readonly groupId: string
  readonly topic: TestTopic
  /** One more connection; every member needs its own. */
  open(): Promise<WireClient>
}

/** The broker at `KAFKA_BOOTSTRAP`, or one of our own; one batch of each list of values. */
export async function sharePlace(
  batches: readonly (readonly string[])[] = [],
  { partitions = 1, configs = {} }: { partitions?: number; configs?: Record<string, string> } = {},
): Promise<SharePlace> {
  const address = process.env['KAFKA_BOOTSTRAP'] ?? (await startBroker()).address
  const client = await connect(address)
  const groupId = uniqueName('share')
  await findCoordinatorOf(client, groupId)
  const topic = await makeTopic(client, { partitions })
  for (const values of batches) await produceTo(client, topic, batchOf(values))
  await configure(client, groupId, { 'share.auto.offset.reset': 'earliest', ...configs })
  return { client, groupId, topic, open: () => connect(address) }
}

/** Apache Kafka takes a while to make its coordinators. */
async function findCoordinatorOf(client: WireClient, groupId: string): Promise<void> {
  for (;;) {
    await client.call(findCoordinator, 6, { keyType: 0, coordinatorKeys: [groupId] })
    const { error } = await beat(client, groupId, 'nobody', 1)
    if (error === 'GROUP_ID_NOT_FOUND') return
    if (process.env['KAFKA_BOOTSTRAP'] === undefined) throw new Error(error)
  }
}

/** Settings of a group. */
export async function configure(
  client: WireClient,
  groupId: string,
  configs: Record<string, string>,
): Promise<void> {
  const operations = Object.entries(configs).map(([name, value]) => [name, set, value] as const)
  const [outcome] = await alter(client, [
    { resourceType: resourceTypes.group, resourceName: groupId, operations },
  ])
  if (outcome!.error !== 'NONE') throw new Error(`${outcome!.error}: ${outcome!.message}`)
}

/** A ShareGroupHeartbeat. */
export async function beat(
  client: WireClient,
  groupId: string,
  memberId: string,
  memberEpoch: number,
  subscribedTopicNames: string[] | null = null,
) {
  const answer = await client.call(shareGroupHeartbeat, 1, {
    groupId,
    memberId,
    memberEpoch,
    subscribedTopicNames,
  })
  return { ...answer, error: errorName(answer.errorCode) }
}

/** Joins and waits until it is assigned what it reads; Apache Kafka takes two heartbeats. Gives the member's epoch. */
export async function joinShare(
  client: WireClient,
  groupId: string,
  memberId: string,
  topics: readonly TestTopic[],
): Promise<number> {
  let answer = await beat(
    client,
    groupId,
    memberId,
    0,
    topics.map(({ name }) => name),
  )
  while (!answer.assignment || answer.assignment.topicPartitions.length === 0) {
    if (answer.error !== 'NONE') throw new Error(answer.error)
    if (process.env['KAFKA_BOOTSTRAP'] === undefined && answer.assignment)
      throw new Error('nothing was assigned')
    answer = await beat(client, groupId, memberId, answer.memberEpoch, null)
  }
  return answer.memberEpoch
}

type ShareFetchDraft = Draft<typeof shareFetch.request>
export type ShareFetchAnswer = Of<typeof shareFetch.response>

/** What is said of records: the first offset, the last one, and a type for all or for each. */
export type Said = readonly [firstOffset: number, lastOffset: number, ...types: number[]]

/** A member as the protocol sees it: where it is in its session. */
export class ShareReader {
  readonly client: WireClient
  readonly groupId: string
  readonly memberId: string
  readonly topic: TestTopic
  epoch = 0

  constructor(client: WireClient, { groupId, topic }: SharePlace, memberId: string) {
    this.client = client
    this.groupId = groupId
    this.memberId = memberId
    this.topic = topic
  }

  /** Fetches partition 0, having said something of records. */
  async fetch(said: readonly Said[] = [], draft: Partial<ShareFetchDraft> = {}, version = 2) {
    const answer = await this.client.call(shareFetch, version, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: this.epoch,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 10_000_000,
      maxRecords: 500,
      batchSize: 500,
      topics: this.#topics(said),
      forgottenTopicsData: [],
      ...draft,
    })
    const [partition] = answer.responses[0]?.partitions ?? []
    if (answer.errorCode === 0) this.epoch++
    return {
      error: errorName(answer.errorCode),
      partitionError: errorName(partition?.errorCode ?? 0),
      acknowledgeError: errorName(partition?.acknowledgeErrorCode ?? 0),
      lockMs: answer.acquisitionLockTimeoutMs,
      acquired: (partition?.acquiredRecords ?? []).map(({ firstOffset, lastOffset, deliveryCount }) => [
        Number(firstOffset),
        Number(lastOffset),
        deliveryCount,
      ]),
      /** All values of the batches that came, those that are not the member's as well. */
      values: valuesOf(partition?.records ?? null),
    }
  }

  /** Fetches until something was acquired. */
  async take(draft: Partial<ShareFetchDraft> = {}) {
    for (;;) {
      const answer = await this.fetch([], { maxWaitMs: 500, ...draft })
      if (answer.error !== 'NONE' || answer.partitionError !== 'NONE' || answer.acquired.length > 0)
        return answer
    }
  }

  /** A ShareAcknowledge: the error of the whole, or of the partition. */
  async acknowledge(
    said: readonly Said[],
    { isRenewAck = false, epoch = this.epoch } = {},
    version = 2,
  ): Promise<string> {
    const answer = await this.client.call(shareAcknowledge, version, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: epoch,
      isRenewAck,
      topics: this.#topics(said),
    })
    if (answer.errorCode === 0) this.epoch++
    return errorName(answer.errorCode || (answer.responses[0]?.partitions[0]?.errorCode ?? 0))
  }

  #topics(said: readonly Said[]) {
    const acknowledgementBatches = said.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => ({
      firstOffset: BigInt(firstOffset),
      lastOffset: BigInt(lastOffset),
      acknowledgeTypes,
    }))
    // A session knows what its member reads.
    if (this.epoch !== 0 && said.length === 0) return []
    return [{ topicId: this.topic.topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }]
  }
}

function valuesOf(records: Buffer | null): string[] {
  if (!records) return []
  return Array.from(batchesIn(records)).flatMap(batch =>
    Array.from(readRecords(batch), ({ value }) => value!.toString()),
  )
}
