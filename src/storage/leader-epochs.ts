/** The first offset that was written in a leader epoch. */
export interface LeaderEpoch {
  readonly epoch: number
  readonly startOffset: number
}

/** In which leader epoch each offset of a partition was written (Kafka's LeaderEpochFileCache). */
export class LeaderEpochs {
  #entries: LeaderEpoch[]

  constructor(entries: readonly LeaderEpoch[] = []) {
    this.#entries = [...entries]
  }

  get entries(): readonly LeaderEpoch[] {
    return this.#entries
  }

  /** Notes that the entry at `startOffset` was written in `epoch`; only the first of an epoch is kept. */
  note(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1)
    if (last && epoch <= last.epoch) return
    // After everything was deleted the newest epoch may have nothing left.
    if (last?.startOffset === startOffset) this.#entries.pop()
    this.#entries.push({ epoch, startOffset })
  }

  /** The epoch that `offset` was written in. */
  of(offset: number): number {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? -1
  }

  /**
   * The greatest epoch not above `epoch` that was written in, and where it ended; -1 and -1 where nothing is known
   * (LeaderEpochFileCache.endOffsetFor). The current epoch ends where the log does, written in or not.
   */
  endOf(epoch: number, current: { epoch: number; endOffset: number }): { epoch: number; endOffset: number } {
    if (epoch === current.epoch) return current
    if (epoch < 0 || epoch > current.epoch) return { epoch: -1, endOffset: -1 }
    const above = this.#entries.find(entry => entry.epoch > epoch)
    const floor = this.#entries.findLast(entry => entry.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: above?.startOffset ?? current.endOffset }
  }

  /** Forgets what lies wholly before the log's new start. */
  trim(logStart: number): void {
    const first = this.#entries.findLastIndex(entry => entry.startOffset <= logStart)
    if (first < 0) return
    const { epoch } = this.#entries[first]!
    this.#entries = [{ epoch, startOffset: logStart }, ...this.#entries.slice(first + 1)]
  }
}
