import type { Cancel, Clock } from '../base/clock.ts'
import { KafkaError } from '../protocol/errors.ts'
import { batchesIn } from '../protocol/records/batch.ts'
import { readRecords } from '../protocol/records/record.ts'
import { afterHeader } from './admission.ts'
import type { Place } from './vlsn-index.ts'
import type { VlsnPartition } from './vlsn-partition.ts'
import type { VlsnTopic, VlsnTopicOptions } from './vlsn-topic.ts'

/** VLSNs that no partition has, from the end of the gapless prefix to before the first one that was accepted behind it. */
export interface Gap {
  readonly from: bigint
  readonly to: bigint
  /** Where `to` is. */
  readonly place: Place
  readonly partition: VlsnPartition
}

const gapTimeoutMsDefault = 30_000

/**
 * Closes the gaps that the view stops at: at once where the record behind it says, in the header `odradek.vlsn.after`, that its writer
 * used nothing in between, else when the gap has been there for `odradek.vlsn.gap.timeout.ms`. From the decision on nothing is taken
 * into the gap; the view passes it when the decision is synced.
 */
export class GapWatch {
  readonly #topic: VlsnTopic
  readonly #clock: Clock
  readonly #options: Omit<VlsnTopicOptions, 'slabs'>
  #gapTimeoutMs = gapTimeoutMsDefault
  /** The gap that is waited for, and since when (ms, monotonic). */
  #waiting: { readonly from: bigint; readonly sinceMs: number; readonly cancel: Cancel } | undefined
  /** The last record that was asked for its header. */
  #asked: Gap | undefined
  #isClosingGap = false
  #isClosed = false

  constructor(topic: VlsnTopic, options: Omit<VlsnTopicOptions, 'slabs'>) {
    this.#topic = topic
    this.#clock = options.clock
    this.#options = options
  }

  configure({ gapTimeoutMs }: { readonly gapTimeoutMs: number }): void {
    if (gapTimeoutMs === this.#gapTimeoutMs) return
    this.#gapTimeoutMs = gapTimeoutMs
    const { from, sinceMs } = this.#waiting ?? {}
    if (from !== undefined) this.#wait(from, sinceMs!)
  }

  /** Looks what there is to wait for, after something has moved. */
  check(): void {
    if (this.#isClosingGap || this.#isClosed) return
    const gap = this.#topic.gap()
    if (gap?.from !== this.#waiting?.from) {
      if (gap) this.#wait(gap.from, this.#clock.monotonic())
      else this.#forget()
    }
    if (gap) void this.#ask(gap).catch((error: unknown) => this.#tell(error))
  }

  #wait(from: bigint, sinceMs: number): void {
    this.#forget()
    const endMs = sinceMs + this.#gapTimeoutMs
    const cancel = this.#clock.after(endMs - this.#clock.monotonic(), () => {
      // A timer has its longest time, which a setting need not know. Both questions are one subtraction: rounded apart, nothing could
      // be left of the time and it not be over.
      const isOver = this.#clock.monotonic() >= endMs
      const gap = this.#topic.gap()
      if (gap?.from !== from) return
      if (isOver) this.#close(gap)
      else this.#wait(from, sinceMs)
    })
    this.#waiting = { from, sinceMs, cancel }
  }

  #forget(): void {
    this.#waiting?.cancel()
    this.#waiting = undefined
  }

  /** Asks the record behind the gap, once it is decided, whether its writer left the gap out. */
  async #ask(gap: Gap): Promise<void> {
    const { place, partition } = gap
    if (place.offset >= partition.stableOffset) return
    if (this.#asked?.from === gap.from && this.#asked.to === gap.to) return
    this.#asked = gap
    const after = await readAfter(partition, place)
    if (after === undefined || after >= gap.from) return
    const now = this.#topic.gap()
    if (now?.from === gap.from && now.to === gap.to) this.#close(now)
  }

  #close({ from, to }: Gap): void {
    if (this.#isClosingGap || this.#isClosed) return
    this.#isClosingGap = true
    this.#forget()
    this.#topic.raiseFloor(to)
    this.#options
      .closeGap({ from, to })
      .finally(() => (this.#isClosingGap = false))
      .then(
        () => this.check(),
        (error: unknown) => this.#tell(error),
      )
  }

  /** A disk that fails has told so; the gap stays, as everything does then. */
  #tell(error: unknown): void {
    if (!(error instanceof KafkaError)) this.#options.reportBug(error)
  }

  close(): void {
    this.#isClosed = true
    this.#forget()
  }
}

/** What the record at `place` names as the VLSN before its own; undefined where it names none. */
async function readAfter({ log }: VlsnPartition, { offset }: Place): Promise<bigint | undefined> {
  const limit = log.highWatermark
  const slice = await log.read(BigInt(offset), { lengthMax: 0, limit, atLeastOne: true })
  try {
    const [batch] = batchesIn(slice.pieces[0]!)
    for (const record of readRecords(batch!)) {
      if (record.offset !== BigInt(offset)) continue
      const value = record.headers.find(({ key }) => key === afterHeader)?.value
      return value?.length === 8 ? value.readBigInt64BE() : undefined
    }
    return undefined
  } finally {
    slice.release()
  }
}
