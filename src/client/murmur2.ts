const seed = 0x9747b28c
const factor = 0x5bd1e995

/** The hash by which Kafka's producers choose the partition of a key (Utils.murmur2 of Kafka's clients), as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  const wholeEnd = length - (length % 4)
  let hash = seed ^ length
  for (let at = 0; at < wholeEnd; at += 4) {
    let word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    word = Math.imul(word, factor)
    word ^= word >>> 24
    hash = Math.imul(hash, factor) ^ Math.imul(word, factor)
  }
  if (length > wholeEnd) {
    for (let at = wholeEnd; at < length; at++) hash ^= data[at]! << (8 * (at - wholeEnd))
    hash = Math.imul(hash, factor)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, factor)
  return hash ^ (hash >>> 15)
}
