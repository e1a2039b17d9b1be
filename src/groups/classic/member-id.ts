import type { Random } from '../../base/random.ts'

/** A client id may be as long as a string can be; an id that begins with it would be longer. */
const nameLengthMax = 1_000

/** A new member id, as Kafka makes them: the instance id or client id, and a random UUID. */
export function newMemberId(name: string, random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return [name.slice(0, nameLengthMax), ...uuid].join('-')
}
