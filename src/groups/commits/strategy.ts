import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { CommittedOffset } from '../offsets/committed-offsets.ts'
import type { Position, Reached, Stamp } from './position.ts'

/** An offset of a partition that is to be committed. */
export interface NewOffset {
  readonly partition: number
  readonly value: OffsetCommitValue
}

/** An offset as OffsetFetch tells it. */
export type ToldOffset = Pick<CommittedOffset, 'offset' | 'leaderEpoch' | 'metadata'>

/**
 * How the position of a group in a topic of VLSNs is kept (`odradek.commit.strategy`). Whatever the one before has left is understood,
 * and made over with the next commit, so that a group that changes keeps its position.
 */
export interface CommitStrategy {
  /** Decides a commit of some partitions. */
  commit(position: Position, offsets: readonly NewOffset[], stamp: Stamp): void
  /** Decides a commit of the view. */
  commitNumber(position: Position, value: OffsetCommitValue): void
  /** What each partition is told to be at; undefined if nothing was committed. */
  teller(position: Position): (partition: number) => ToldOffset | undefined
  /** What the view is told to be at. */
  tellNumber(position: Position): ToldOffset | undefined
  /** Decides what follows from offsets of a transaction that count from now on. */
  settle(position: Position): void
  /** Decides the deletion of the offsets of some partitions. */
  forget(position: Position, partitions: readonly number[]): void
  /** Decides the deletion of the offset of the view. */
  forgetNumber(position: Position): void
}

/** An offset that follows from the number. */
export function derivedOffset(position: Position, partition: number): ToldOffset | undefined {
  const offset = position.derived(partition)
  return offset === undefined ? undefined : { offset, leaderEpoch: -1, metadata: '' }
}

/** The number, as those tell it that keep it. */
export function keptNumber(position: Position): ToldOffset | undefined {
  const offset = position.committedBelow
  if (offset === undefined) return undefined
  return { offset, leaderEpoch: position.number?.leaderEpoch ?? -1, metadata: position.text }
}

/** The last commits of all partitions, once these are made as well. */
export function withNew(commits: Reached, offsets: readonly NewOffset[]): Reached {
  return new Map([...commits, ...offsets.map(({ partition, value }) => [partition, value] as const)])
}

/** Keeps what a reader of the view has committed for all partitions: whatever these have gives way to it. */
export function commitForAll(position: Position, value: OffsetCommitValue): void {
  position.removeAll()
  position.hear(new Map())
  position.keep(value)
}

/**
 * Keeps the number without some partitions, which count as not committed: it falls to where the first of them starts. Without any
 * other there is no number.
 */
export function keepWithout(position: Position, partitions: readonly number[]): void {
  const commits = position.lastCommits()
  const reached = position.reached(commits)
  for (const partition of partitions) {
    commits.delete(partition)
    reached[partition] = undefined
    position.remove(partition)
  }
  if (reached.every(offset => offset === undefined)) return position.removeNumber()
  position.keep({ ...position.now, offset: position.topic.committedBelow(reached) })
  position.hear(commits)
}
