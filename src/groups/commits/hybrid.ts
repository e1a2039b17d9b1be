import type { Position, Stamp } from './position.ts'
import {
  commitForAll,
  derivedOffset,
  keepWithout,
  keptNumber,
  withNew,
  type CommitStrategy,
  type NewOffset,
} from './strategy.ts'

/**
 * Each partition has its own offset, and beside them the number is kept. The offsets say where to go on; a partition that has none, be
 * it new or given up, goes on where the number leaves it.
 */
export const hybrid: CommitStrategy = {
  commit: keepBoth,
  commitNumber: commitForAll,
  teller: position => partition => position.own(partition) ?? derivedOffset(position, partition),
  tellNumber: keptNumber,
  settle(position) {
    const below = position.numberFor(position.lastCommits())
    if (below === undefined || (position.isKept && below === position.number!.offset)) return
    keepBoth(position, [], position.now)
  },
  forget: keepWithout,
  forgetNumber: position => position.removeNumber(),
}

function keepBoth(position: Position, offsets: readonly NewOffset[], stamp: Stamp): void {
  const commits = position.lastCommits()
  const { superseded } = position
  const below = position.numberFor(withNew(commits, offsets))!
  for (const partition of superseded) position.remove(partition)
  for (const { partition, value } of offsets) position.write(partition, value)
  position.keep({ ...stamp, offset: below })
  // What one number was kept in the place of is needed for as long as it has no offset of its own.
  for (const partition of position.partitions) if (position.stored(partition)) commits.delete(partition)
  position.hear(commits)
}
