/** What has become of a record, as records of `__share_group_state` number it (RecordState). Acquired ones are not written. */
export const deliveryStates = { available: 0, acknowledged: 2, archived: 4 } as const

/** Records next to each other that went the same way. `lastOffset` is the last one, not the one after it. */
export interface StateBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  /** One of `deliveryStates`. */
  readonly deliveryState: number
  /** How often they were handed out. */
  readonly deliveryCount: number
}

/**
 * `batches` as `changes` leave them, from `startOffset` on: in order, none overlapping, and neighbours that say the same
 * made one. Both are in order and do not overlap themselves; where they overlap each other, the changes hold.
 */
export function overlay(
  batches: readonly StateBatch[],
  changes: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const result: StateBatch[] = []
  const add = (batch: StateBatch, firstOffset: number, lastOffset: number): void => {
    const from = Math.max(firstOffset, startOffset)
    if (from > lastOffset) return
    const { deliveryState, deliveryCount } = batch
    const last = result.at(-1)
    const continues =
      last &&
      last.lastOffset + 1 === from &&
      last.deliveryState === deliveryState &&
      last.deliveryCount === deliveryCount
    if (continues) result[result.length - 1] = { ...last, lastOffset }
    else result.push({ firstOffset: from, lastOffset, deliveryState, deliveryCount })
  }
  let next = 0
  // What changes have settled, of the batch at hand and of those that they reach over.
  let settledUpTo = -1
  for (const batch of batches) {
    for (; next < changes.length && changes[next]!.firstOffset <= batch.lastOffset; next++) {
      const change = changes[next]!
      add(batch, Math.max(batch.firstOffset, settledUpTo + 1), change.firstOffset - 1)
      add(change, change.firstOffset, change.lastOffset)
      settledUpTo = change.lastOffset
    }
    add(batch, Math.max(batch.firstOffset, settledUpTo + 1), batch.lastOffset)
  }
  for (const change of changes.slice(next)) add(change, change.firstOffset, change.lastOffset)
  return result
}
