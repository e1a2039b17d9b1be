import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Random } from '../../src/base/random.ts'

/** One of `choices`. */
export function pick<Choice>(choices: readonly Choice[], random: Random): Choice {
  return choices[random.below(choices.length)]!
}

type Change = (bytes: Buffer, random: Random) => Buffer

/** Numbers that lengths, counts and ids go wrong at. */
const edgeNumbers = [-(2 ** 31), -2, -1, 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 2 ** 31 - 1]

const flipBit: Change = (bytes, random) => {
  const at = random.below(bytes.length)
  bytes[at] = bytes[at]! ^ (1 << random.below(8))
  return bytes
}

const setByte: Change = (bytes, random) => {
  bytes[random.below(bytes.length)] = pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)], random)
  return bytes
}

const setInt32: Change = (bytes, random) => {
  if (bytes.length >= 4) bytes.writeInt32BE(pick(edgeNumbers, random), random.below(bytes.length - 3))
  return bytes
}

const setInt16: Change = (bytes, random) => {
  const number = pick([-(2 ** 15), -1, 0, 1, 0xff, 0x7fff], random)
  if (bytes.length >= 2) bytes.writeInt16BE(number, random.below(bytes.length - 1))
  return bytes
}

const cut: Change = (bytes, random) => bytes.subarray(0, random.below(bytes.length))

const lengthen: Change = (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.below(40))])

const repeat: Change = (bytes, random) => {
  const from = random.below(bytes.length)
  const to = from + 1 + random.below(bytes.length - from)
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)])
}

const remove: Change = (bytes, random) => {
  const from = random.below(bytes.length)
  const to = from + 1 + random.below(bytes.length - from)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
}

const changes: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setInt32,
  setInt16,
  cut,
  lengthen,
  repeat,
  remove,
]

/** A damaged copy of `bytes`: a few flips, cuts, lengths gone wrong, pieces doubled or lost. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated: Buffer = Buffer.from(bytes)
  const count = 1 + random.below(3)
  for (let index = 0; index < count && mutated.length > 0; index++)
    mutated = pick(changes, random)(mutated, random)
  return mutated
}

/** Bytes in use after all garbage is gone: the heap, and what buffers hold beside it. */
export function memoryInUse(): number {
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  // Buffers of objects that finalizers let go of are gone with the second run.
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
