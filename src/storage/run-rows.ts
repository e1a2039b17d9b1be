import { rowLength, RowView } from './row.ts'
import type { Run } from './run.ts'

// 4 KiB: one page for a reader that goes from batch to batch, and little to keep for each of thousands of partitions.
const windowRows = 64
const noRows = Buffer.alloc(0)

/** The rows of runs by index, from RAM or from a segment's footer, of which the last window is kept for who reads on. */
export class RunRows {
  readonly #view = new RowView()
  #run: Run | undefined
  #first = 0
  #window = noRows

  /** A row; the view is good until the next call. */
  row(run: Run, index: number): RowView {
    if (run.ordinals) return run.segment.memory!.row(run.ordinals[index]!, this.#view)
    const at = index - this.#first
    const isShown = this.#run === run && at >= 0 && at * rowLength < this.#window.length
    if (!isShown) this.#show(run, index)
    return this.#view.move(this.#window, (index - this.#first) * rowLength)
  }

  #show(run: Run, index: number): void {
    const window = Buffer.allocUnsafe(Math.min(windowRows, run.rowCount - index) * rowLength)
    // What cannot be read leaves the window as it was.
    run.segment.readRowsSync(run.firstRow + index, window)
    this.#window = window
    this.#run = run
    this.#first = index
  }

  /** The index of the first entry that ends behind `offset`; `rowCount` where there is none. */
  find(run: Run, offset: number): number {
    let low = 0
    let high = run.rowCount
    if (this.#run === run && !run.ordinals) {
      const last = this.#first + this.#window.length / rowLength - 1
      if (this.row(run, this.#first).baseOffset <= offset && offset < this.row(run, last).nextOffset) {
        low = this.#first
        high = last
      }
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.row(run, middle).nextOffset > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Forgets the window. */
  forget(): void {
    this.#run = undefined
    this.#window = noRows
  }
}
