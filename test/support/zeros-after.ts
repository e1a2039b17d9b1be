import { sectorLength } from '../../src/base/direct-file.ts'

/** What a write to a file that is written in order is followed by (`OpenOptions.isAppended`), as if it had gone around the page cache. */
export function zerosAfter(position: number, pieces: readonly Buffer[]): Buffer {
  const end = pieces.reduce((sum, piece) => sum + piece.length, position)
  return Buffer.alloc(Math.ceil(end / sectorLength) * sectorLength - end)
}
