/** An offset, and its place in the order of commits (`CommittedOffset.order`). */
export interface HeardOffset {
  readonly offset: bigint
  readonly order: number
}

/** The offsets of one topic, by partition. */
export type TopicHeard = ReadonlyMap<number, HeardOffset>

/**
 * Offsets that were committed while one number is kept in their place: from them the number is found as others follow. They are in
 * memory alone. After a restart each partition is where the number leaves it, and what was committed above is heard again.
 */
export class HeardOffsets {
  /** By group, then by view. */
  readonly #groups = new Map<string, Map<string, { readonly viewId: string; readonly offsets: TopicHeard }>>()

  /** What was heard of a topic, for the view with this id: another one is of a topic that is gone. */
  of(group: string, view: string, viewId: string): TopicHeard {
    const heard = this.#groups.get(group)?.get(view)
    return heard?.viewId === viewId ? heard.offsets : none
  }

  set(group: string, view: string, viewId: string, offsets: TopicHeard): void {
    let views = this.#groups.get(group)
    if (!views) this.#groups.set(group, (views = new Map()))
    views.set(view, { viewId, offsets })
  }

  /** The number was removed; other topics were never heard of. */
  forget(group: string, view: string): void {
    const views = this.#groups.get(group)
    if (views?.delete(view) && views.size === 0) this.#groups.delete(group)
  }
}

const none: TopicHeard = new Map()
