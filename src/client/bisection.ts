import type { KafkaMessage } from './kafka-client.ts'
import type { Bounds, TopicReader } from './topic-reader.ts'
import { vlsnOf } from './vlsn-key.ts'

/** The VLSN of a record of a VLSN topic; throws TypeError where its key is none. */
export function vlsnOfMessage(message: KafkaMessage, topic: string): bigint {
  const vlsn = vlsnOf(message.key)
  if (vlsn === undefined) throw new TypeError(`offset ${message.offset} of ${topic} has no VLSN as its key`)
  return vlsn
}

/**
 * The offset of the first record of a partition whose VLSN is at least `vlsn`, or the partition's end. VLSNs rise with the offsets, so this
 * is a bisection of O(log n) reads; and where no numbers are missing they rise evenly, so each second read is where the record would
 * be then, which is mostly the last.
 */
export async function offsetOfVlsn(
  reader: TopicReader,
  partition: number,
  vlsn: bigint,
  { low: start, high: end }: Bounds,
): Promise<bigint> {
  const stride = BigInt(reader.partitionCount)
  // All before `low` is below the VLSN, all from `high` on is not.
  let low = start
  let high = end
  let guess = vlsn / stride
  for (let isGuess = true; low < high; isGuess = !isGuess) {
    const at = isGuess ? clamp(guess, low, high - 1n) : (low + high) / 2n
    const { messages } = await reader.fetch(partition, at)
    const [first] = messages
    if (!first) {
      // Markers up to the end, or what cannot be read yet.
      high = at
      continue
    }
    const firstVlsn = vlsnOfMessage(first, reader.topic)
    guess = BigInt(first.offset) + (vlsn - firstVlsn) / stride
    if (firstVlsn === vlsn) return BigInt(first.offset)
    if (firstVlsn > vlsn) {
      high = at
      continue
    }
    const found = messages.find(message => vlsnOfMessage(message, reader.topic) >= vlsn)
    if (found) return BigInt(found.offset)
    low = BigInt(messages.at(-1)!.offset) + 1n
  }
  return low
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low) return low
  return value > high ? high : value
}

/**
 * The greatest VLSN that any partition holds; undefined where all are empty. The last record of a partition has its greatest; markers
 * may lie behind it, so the reads begin ever further ahead of the end.
 */
export async function lastVlsn(reader: TopicReader): Promise<bigint | undefined> {
  const bounds = await reader.bounds()
  const lasts = await Promise.all(bounds.map((each, partition) => lastOf(reader, partition, each)))
  return lasts.reduce((most, last) =>
    most === undefined || (last !== undefined && last > most) ? last : most,
  )
}

async function lastOf(
  reader: TopicReader,
  partition: number,
  { low, high }: Bounds,
): Promise<bigint | undefined> {
  let from = high
  for (let back = 1n; from > low; back *= 4n) {
    from = high - back > low ? high - back : low
    let last: KafkaMessage | undefined
    for (let at = from; at < high;) {
      const { messages, nextOffset } = await reader.fetch(partition, at)
      if (messages.length === 0) break
      last = messages.at(-1)
      at = nextOffset
    }
    if (last) return vlsnOfMessage(last, reader.topic)
  }
  return undefined
}
