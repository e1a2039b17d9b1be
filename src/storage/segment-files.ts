import type { Manifest } from './manifest.ts'
import type { Tail } from './walk.ts'

/** A segment among the files of a shard. */
export interface SegmentFile {
  readonly firstBlock: number
  /** 0, unless it was rewritten. */
  readonly generation: number
  /** For a rewritten one: where the blocks that it stands for ended. */
  readonly tail: Tail | undefined
  readonly isMissing: boolean
}

const nameDigits = 20

/** What the files of a segment are called, without a suffix. */
export function segmentName(firstBlock: number, generation: number): string {
  const digits = String(firstBlock).padStart(nameDigits, '0')
  return generation === 0 ? digits : `${digits}-${generation}`
}

/**
 * Which of a shard's files are its segments, in the order of their blocks, and which are left over: what a manifest replaces or
 * does not name, and index files whose log is gone.
 */
export function segmentFiles(
  names: readonly string[],
  { lines }: Manifest,
): { files: SegmentFile[]; leftOver: string[] } {
  const found = new Set(names)
  const files: SegmentFile[] = []
  for (const { generation, tail } of lines) {
    const firstBlock = tail.segment
    const isMissing = !found.has(`${segmentName(firstBlock, generation)}.log`)
    if (generation > 0) files.push({ firstBlock, generation, tail, isMissing })
  }
  for (const name of names) {
    const digits = /^(\d{20})\.log$/.exec(name)?.[1]
    if (digits === undefined) continue
    const firstBlock = Number(digits)
    const isReplaced = lines.some(({ tail }) => tail.segment <= firstBlock && firstBlock <= tail.blockNumber)
    if (!isReplaced) files.push({ firstBlock, generation: 0, tail: undefined, isMissing: false })
  }
  files.sort((a, b) => a.firstBlock - b.firstBlock)
  const counted = new Set(files.map(({ firstBlock, generation }) => segmentName(firstBlock, generation)))
  const leftOver = names.filter(name => {
    const stem = /^(\d{20}(?:-\d+)?)\.(?:log|idx)$/.exec(name)?.[1]
    return stem !== undefined && !counted.has(stem)
  })
  return { files, leftOver }
}
