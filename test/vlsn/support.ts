import { listOffsets } from '../../src/broker/apis/02-list-offsets.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { buildBatch, readRecords, type BatchDraft } from '../../src/protocol/records/record.ts'
import { fetchFrom, makeTopic, noTopicId, produceTo, type TestTopic } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

export function keyOf(vlsn: bigint | number): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(vlsn))
  return key
}

/** A record to be: its VLSN, its value (`v` and the VLSN by default), and the VLSN that it says came before. */
export interface Numbered {
  readonly vlsn: bigint | number
  readonly value?: string
  readonly after?: bigint | number
  readonly timestamp?: number
}

export function batchOf(records: readonly (Numbered | number)[], draft: Partial<BatchDraft> = {}): Buffer {
  return buildBatch({
    records: records.map(each => {
      const {
        vlsn,
        value = `v${vlsn}`,
        after,
        timestamp = Date.now(),
      } = typeof each === 'number' ? { vlsn: each } : each
      const named = Buffer.alloc(8)
      if (after !== undefined) named.writeBigInt64BE(BigInt(after))
      return {
        timestamp: BigInt(timestamp),
        key: keyOf(vlsn),
        value: Buffer.from(value),
        headers: after === undefined ? [] : [{ key: 'odradek.vlsn.after', value: named }],
      }
    }),
    ...draft,
  })
}

export function makeVlsnTopic(
  client: WireClient,
  {
    partitions = 3,
    name,
    configs = {},
  }: { partitions?: number; name?: string; configs?: Record<string, string> } = {},
): Promise<TestTopic> {
  return makeTopic(client, {
    partitions,
    ...(name !== undefined && { name }),
    configs: { 'odradek.partitioning': 'vlsn', ...configs },
  })
}

/** Writes records, each to its partition, those of a partition in one batch; gives what was answered, by partition. */
export async function write(
  client: WireClient,
  topic: TestTopic,
  records: readonly (Numbered | number)[],
  { partitions = 3, draft = {} }: { partitions?: number; draft?: Partial<BatchDraft> } = {},
): Promise<string[]> {
  const answers: string[] = []
  for (let index = 0; index < partitions; index++) {
    const own = records.filter(
      each => Number(BigInt(typeof each === 'number' ? each : each.vlsn) % BigInt(partitions)) === index,
    )
    if (own.length === 0) continue
    const { errorCode, baseOffset } = await produceTo(client, topic, batchOf(own, draft), { index })
    answers.push(`${index}: ${errorCode === 0 ? baseOffset : errorName(errorCode)}`)
  }
  return answers
}

export function viewOf({ name }: TestTopic): TestTopic {
  return { name: `${name}.vlsn`, topicId: noTopicId }
}

/** Where a partition begins for its readers. */
async function earliest(client: WireClient, { name }: TestTopic): Promise<bigint> {
  const answer = await client.call(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -2n }] }],
  })
  return answer.topics[0]!.partitions[0]!.offset
}

/** Waits until a view ends at `end`, and reads it. */
export async function readViewTo(client: WireClient, topic: TestTopic, end: bigint): Promise<Seen> {
  for (;;) {
    const seen = await readView(client, topic)
    if (seen.end >= end) return seen
    await fetchFrom(client, viewOf(topic), { version: 11, fetchOffset: seen.end, maxWaitMs: 1000 })
  }
}

export interface Seen {
  readonly records: string[]
  readonly start: bigint
  readonly end: bigint
}

/** Reads a view from `from` on to its end, as `vlsn:value`. */
export async function readView(client: WireClient, topic: TestTopic, from?: bigint): Promise<Seen> {
  const records: string[] = []
  let position = from ?? (await earliest(client, viewOf(topic)))
  for (;;) {
    const answer = await fetchFrom(client, viewOf(topic), { version: 11, fetchOffset: position })
    const { errorCode, logStartOffset: start, highWatermark: end } = answer
    if (errorCode !== 0) throw new Error(errorName(errorCode))
    const before = position
    for (const batch of batchesIn(answer.records ?? Buffer.alloc(0))) {
      if (!batch.isSound || batch.producerId !== -1n) throw new Error('a batch that is not sound')
      for (const { offset, key, value } of readRecords(batch)) {
        if (offset < before) continue
        if (key!.readBigInt64BE() !== offset)
          throw new Error(`VLSN ${key!.readBigInt64BE()} at offset ${offset}`)
        records.push(`${offset}:${value}`)
        position = offset + 1n
      }
    }
    if (position === before) return { records, start, end }
  }
}
