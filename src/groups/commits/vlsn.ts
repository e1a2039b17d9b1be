import type { Position, Stamp } from './position.ts'
import {
  commitForAll,
  keepWithout,
  keptNumber,
  withNew,
  type CommitStrategy,
  type NewOffset,
} from './strategy.ts'

/**
 * One number for all partitions: the VLSN, plus one, up to which everything is committed in each. A commit writes one record, however
 * many partitions it names. Where to go on follows from the number: what was committed above it may be read again, nothing is skipped.
 */
export const vlsn: CommitStrategy = {
  commit: fold,
  commitNumber: commitForAll,
  teller(position) {
    const below = position.committedBelow
    return partition =>
      below === undefined
        ? undefined
        : { offset: position.topic.offsetFrom(partition, below), leaderEpoch: -1, metadata: '' }
  },
  tellNumber: keptNumber,
  settle(position) {
    if (position.hasOwn || (position.number && !position.isKept)) fold(position, [], position.now)
  },
  forget: keepWithout,
  forgetNumber(position) {
    position.removeAll()
    position.removeNumber()
  },
}

/** Takes commits and the partitions' own offsets into the number, which is all that is left of them. */
function fold(position: Position, offsets: readonly NewOffset[], stamp: Stamp): void {
  const commits = position.lastCommits()
  const named = new Set(offsets.map(({ partition }) => partition))
  // A transaction under way would lose what it has for a partition that is removed.
  const done = position.partitions.filter(
    partition => named.has(partition) || (position.own(partition) && !position.isPending(partition)),
  )
  const gone = new Set([...done, ...position.superseded])
  position.keep({ ...stamp, offset: position.numberFor(withNew(commits, offsets))! })
  const { order } = position.number!
  for (const { partition, value } of offsets) commits.set(partition, { offset: value.offset, order })
  for (const partition of gone) position.remove(partition)
  position.hear(commits)
}
