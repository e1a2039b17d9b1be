import type { Output } from './output.ts'

/** One line of a dump: what kind of thing it is, and its facts by name. */
export interface DumpLine {
  readonly type: LineType
  readonly [fact: string]: unknown
}

export type LineType = keyof typeof columns

/** Takes the lines of a dump. */
export interface DumpWriter {
  write(line: DumpLine): void | Promise<void>
}

/** Each line as a JSON object; what is beyond 2^53 as a string of digits. */
export function jsonWriter(output: Output): DumpWriter {
  return { write: line => output.line(JSON.stringify(line, asJson)) }
}

function asJson(_name: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

type Column = readonly [fact: string, width: number]

/** What a table of each kind shows, how wide; a negative width is aligned to the left. */
const columns = {
  directory: [
    ['startCount', 10],
    ['nextProducerId', 14],
    ['shards', 6],
  ],
  segment: [
    ['file', -36],
    ['bytes', 11],
    ['blocksEnd', 11],
    ['indexBytes', 10],
    ['isClosed', 8],
  ],
  block: [
    ['number', 8],
    ['position', 10],
    ['epoch', 5],
    ['firstLsn', 10],
    ['lastLsn', 10],
    ['knownSynced', 11],
    ['commitTime', -24],
    ['entryCount', 10],
    ['bodyLength', 10],
    ['crc', 10],
    ['previousCrc', 11],
  ],
  batch: [
    ['topic', -24],
    ['partition', 9],
    ['partitionId', 11],
    ['lsn', 10],
    ['position', 10],
    ['length', 8],
    ['baseOffset', 10],
    ['lastOffset', 10],
    ['recordCount', 11],
    ['leaderEpoch', 11],
    ['maxTimestamp', -24],
    ['producerId', 10],
    ['producerEpoch', 13],
    ['baseSequence', 12],
    ['codec', -6],
    ['isTransactional', 15],
    ['isControl', 9],
    ['isSound', 7],
  ],
  record: [
    ['offset', 10],
    ['timestamp', -24],
    ['keyLength', 9],
    ['key', -24],
    ['valueLength', 11],
    ['value', -40],
    ['headers', -2],
    ['says', -2],
  ],
  indexEntry: [
    ['topic', -24],
    ['partition', 9],
    ['partitionId', 11],
    ['blockPosition', 13],
    ['baseOffset', 10],
    ['maxTimestamp', -24],
  ],
  footer: [
    ['firstBlock', 10],
    ['lastBlock', 10],
    ['rowCount', 8],
    ['partitionCount', 14],
    ['rowsPosition', 12],
    ['indexLength', 11],
    ['lastHeaderCrc', 13],
  ],
  footerPartition: [
    ['topic', -24],
    ['partition', 9],
    ['partitionId', 11],
    ['firstRow', 8],
    ['rowCount', 8],
    ['baseOffset', 10],
    ['nextOffset', 10],
    ['maxTimestamp', -24],
    ['sizeInBytes', 11],
  ],
  anchor: [
    ['shard', 5],
    ['slot', 4],
    ['blockNumber', 11],
    ['segment', 10],
    ['position', 10],
    ['lsn', 10],
    ['blockEpoch', 10],
    ['headerCrc', 10],
  ],
  checkpoint: [
    ['shard', 5],
    ['blockNumber', 11],
    ['segment', 10],
    ['position', 10],
    ['lsn', 10],
    ['blockEpoch', 10],
    ['commitTime', -24],
    ['partitions', 10],
  ],
  bookmark: [
    ['topic', -24],
    ['partition', 9],
    ['partitionId', 11],
    ['logStart', 10],
    ['nextOffset', 10],
    ['leaderEpochs', -16],
    ['producers', -2],
  ],
  broken: [
    ['file', -36],
    ['position', 10],
    ['reason', -2],
  ],
} as const satisfies Record<string, readonly Column[]>

/** How deep each kind stands below its segment or shard. */
const indents: Partial<Record<LineType, number>> = {
  block: 2,
  batch: 4,
  record: 6,
  indexEntry: 2,
  footer: 2,
  footerPartition: 4,
  bookmark: 4,
}

/** Tables for people: one of each kind below each segment, their lines as they come. */
export function tableWriter(output: Output): DumpWriter {
  const titled = new Set<LineType>()
  return {
    async write(line) {
      if (line.type === 'segment') titled.clear()
      const indent = ' '.repeat(indents[line.type] ?? 0)
      const table: readonly Column[] = columns[line.type]
      if (!titled.has(line.type)) {
        titled.add(line.type)
        await output.line(indent + rowOf(table, fact => fact))
      }
      await output.line(indent + rowOf(table, fact => textOf(fact, line[fact])))
    },
  }
}

function rowOf(table: readonly Column[], cell: (fact: string) => string): string {
  return table
    .map(([fact, width]) => (width < 0 ? cell(fact).padEnd(-width) : cell(fact).padStart(width)))
    .join('  ')
    .trimEnd()
}

const times = new Set(['commitTime', 'maxTimestamp', 'timestamp'])
const timeMax = 8.64e15

function textOf(fact: string, value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (times.has(fact)) {
    const time = Number(value)
    return time >= 0 && time <= timeMax ? new Date(time).toISOString() : String(value)
  }
  return typeof value === 'object' ? JSON.stringify(value, asJson) : String(value as string | number | bigint)
}
