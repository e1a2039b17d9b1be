import { crc32 } from 'node:zlib'
import { seededRandom } from '../../src/base/random.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Place } from './workload-calls.ts'

const pool = seededRandom(1).bytes(64 * 1024)
const longLength = 20_000

/** The value of a writer's record `number`: its name, the number, and bytes that follow from both. */
export function valueOf(writer: string, number: number): Buffer {
  const head = `${writer} ${number} `
  const chance = crc32(head)
  const length = chance % 16 === 0 ? chance % longLength : chance % 300
  const at = (chance >>> 8) % (pool.length - longLength)
  return Buffer.concat([Buffer.from(head), pool.subarray(at, at + length)])
}

/** Whose record a value is; undefined where its bytes are nobody's. */
function readValue(value: Buffer | null): { writer: string; number: number } | undefined {
  const [, writer, number] = /^(\S+) (\d+) /.exec(value?.toString('latin1', 0, 80) ?? '') ?? []
  if (writer === undefined || !value!.equals(valueOf(writer, Number(number)))) return undefined
  return { writer, number: Number(number) }
}

/** A batch that the broker acknowledged. */
export interface Acknowledged {
  readonly baseOffset: bigint
  readonly first: number
  readonly count: number
}

/** What one writer knows of its records, which it numbers from 0 on. */
export interface Account extends Place {
  readonly writer: string
  /** Retries must not show: the writer is idempotent. */
  readonly isExact: boolean
  /** The sizes of batches as sent, by their first record's number; a retry is the same batch. */
  readonly sent: Map<number, number>
  readonly acknowledged: Acknowledged[]
}

export function openAccount(writer: string, place: Place, isExact: boolean): Account {
  return {
    writer,
    topic: place.topic,
    partition: place.partition,
    isExact,
    sent: new Map(),
    acknowledged: [],
  }
}

/** What was found wrong, in records. */
export interface Damage {
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
  /** The same in words, the first of each kind. */
  readonly problems: string[]
}

export function noDamage(): Damage {
  return { lost: 0, duplicated: 0, reordered: 0, corrupted: 0, problems: [] }
}

/** A partition's bytes from its log start on, whole batches. */
export interface Content {
  readonly start: bigint
  readonly bytes: Buffer
}

/**
 * Compares what a partition holds with what its writers were told, and with what readers have seen there
 * (`witnessed`: batch checksums by base offset). Adds to `damage`.
 */
export function compare(
  place: Place,
  content: Content,
  accounts: readonly Account[],
  witnessed: ReadonlyMap<bigint, number>,
  damage: Damage,
): void {
  const name = `${place.topic}-${place.partition}`
  const say = (kind: Exclude<keyof Damage, 'problems'>, problem: string): void => {
    damage[kind]++
    if (damage.problems.length < 40) damage.problems.push(`${kind}: ${name} ${problem}`)
  }
  const byWriter = new Map(accounts.map(account => [account.writer, account]))
  const highest = new Map<string, number>()
  const records: ({ writer: string; number: number } | undefined)[] = []
  const checksums = new Map<bigint, number>()
  let next = content.start

  for (const batch of batchesIn(content.bytes)) {
    const { baseOffset, crc } = batch
    if (!batch.isSound) say('corrupted', `batch ${baseOffset} has a wrong checksum`)
    // The first batch may begin before the log start, which lies within it then.
    const isFirst = checksums.size === 0 && baseOffset <= next
    if (baseOffset !== next && !isFirst) say('lost', `goes on at ${baseOffset} where ${next} is expected`)
    checksums.set(baseOffset, crc)
    next = batch.lastOffset + 1n
    let first: { writer: string; number: number } | undefined
    for (const { offset, value } of readRecords(batch)) {
      const record = readValue(value)
      if (!record) say('corrupted', `record ${offset} is nobody's: ${value?.toString('latin1', 0, 40)}`)
      if (offset < content.start) continue
      records.push(record)
      first ??= record
      if (record) follow(record, offset)
    }
    const size = first && byWriter.get(first.writer)?.sent.get(first.number)
    if (size !== batch.recordCount && !isFirst)
      say('corrupted', `batch ${baseOffset} has ${batch.recordCount} records, sent were ${size}`)
  }

  function follow({ writer, number }: { writer: string; number: number }, offset: bigint): void {
    const account = byWriter.get(writer)
    if (!account) return say('corrupted', `record ${offset} of ${writer} does not belong here`)
    const before = highest.get(writer)
    highest.set(writer, Math.max(before ?? -1, number))
    const isFirstSeen = before === undefined && (content.start > 0n || number === 0)
    if (isFirstSeen || number === (before ?? -1) + 1) return
    if (before === undefined || number > before)
      say('reordered', `record ${offset} is ${number} of ${writer} after ${before}`)
    else if (account.isExact) say('duplicated', `record ${offset} is ${number} of ${writer} again`)
  }

  for (const { writer, acknowledged } of accounts) {
    for (const { baseOffset, first, count } of acknowledged) {
      for (let index = 0; index < count; index++) {
        const position = Number(baseOffset - content.start) + index
        if (position < 0) continue
        const record = records[position]
        if (record?.writer !== writer || record.number !== first + index) {
          const found = record ? `${record.number} of ${record.writer}` : 'nothing'
          say('lost', `offset ${baseOffset + BigInt(index)} was ${first + index} of ${writer}, is ${found}`)
        }
      }
    }
  }
  for (const [offset, checksum] of witnessed) {
    if (offset < content.start) continue
    if (checksums.get(offset) !== checksum) say('corrupted', `batch ${offset} is not what a reader saw there`)
  }
}
