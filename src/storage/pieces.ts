/** The same bytes in fewer pieces: those that lie one after another in memory become one. */
export function joinAdjacent(pieces: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = []
  for (let index = 0; index < pieces.length;) {
    const first = pieces[index]!
    const { buffer, byteOffset } = first
    let { length } = first
    for (index++; index < pieces.length; index++) {
      const next = pieces[index]!
      if (next.buffer !== buffer || next.byteOffset !== byteOffset + length) break
      length += next.length
    }
    joined.push(length === first.length ? first : Buffer.from(buffer, byteOffset, length))
  }
  return joined
}
