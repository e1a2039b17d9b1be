// Below this a loop over bytes is quicker than a call into native code.
const nativeLengthMin = 32

/** Copies `length` bytes of `source` from `start` to `target` at `at`; both lie within. */
export function copyLiteral(target: Buffer, at: number, source: Buffer, start: number, length: number): void {
  if (length >= nativeLengthMin) target.set(source.subarray(start, start + length), at)
  else for (let index = 0; index < length; index++) target[at + index] = source[start + index]!
}

/** Repeats at `at` the `length` bytes that stand `distance` before it; the two may overlap, as LZ77 has it. */
export function copyMatch(target: Buffer, at: number, distance: number, length: number): void {
  if (length >= nativeLengthMin && distance >= length)
    target.copyWithin(at, at - distance, at - distance + length)
  else if (distance === 1) target.fill(target[at - 1]!, at, at + length)
  else for (let index = at; index < at + length; index++) target[index] = target[index - distance]!
}
