/** What the coordinator needs to know of a topic whose records are numbered by their writer (VLSNs), and of its ordered view. */
export interface NumberedTopic {
  readonly name: string
  readonly id: string
  readonly viewName: string
  readonly viewId: string
  readonly partitionCount: number
  /** What follows is known: no partition failed to be read at the start. */
  readonly isWhole: boolean
  /**
   * The greatest VLSN, plus one, below which everything is committed, where `offsets[i]` is what is committed in partition `i`, and
   * nothing counts as its start. A partition that is committed to its end holds nothing back.
   */
  committedBelow(offsets: readonly (bigint | undefined)[]): bigint
  /** The offset of the first record of a partition whose VLSN is not below `vlsn`, else the partition's end. */
  offsetFrom(partition: number, vlsn: bigint): bigint
}
