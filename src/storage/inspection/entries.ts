import { Batch } from '../../protocol/records/batch.ts'
import { blockHeaderLength } from '../block.ts'
import { rowLength, RowView } from '../row.ts'
import type { Segment } from '../segment.ts'
import type { WalkedBlock } from '../walk.ts'

/** The rows of a block, in order; each is good until the next. Positions count from the start of the body. */
export function* rowsOf({ header, bytes, directoryAt }: WalkedBlock): Generator<RowView, void, void> {
  const row = new RowView()
  for (let index = 0; index < header.entryCount; index++)
    yield row.move(bytes, directoryAt + index * rowLength)
}

/** Where a block's body begins in its file. */
export function bodyPosition({ header, position }: WalkedBlock): number {
  return position + blockHeaderLength + header.directoryLength
}

/** Reads a row's batch; what the walk did not check is not checked here either. */
export async function readEntry(segment: Segment, block: WalkedBlock, row: RowView): Promise<Batch> {
  const bytes = Buffer.allocUnsafe(row.length)
  await segment.file.read(bodyPosition(block) + row.position, bytes)
  return new Batch(bytes, 0)
}
