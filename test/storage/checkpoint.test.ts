import { expect, test } from 'vitest'
import { readCheckpoint, writeBookmarks, writeCheckpoint } from '../../src/storage/checkpoint.ts'
import { PartitionState } from '../../src/storage/partition-state.ts'

const head = {
  headerCrc: 1,
  blockNumber: 2 ** 40,
  segment: 3,
  position: 2 ** 33,
  lsn: 2 ** 50,
  commitTime: 1_700_000_000_000,
  blockEpoch: 5,
}

function stateOf(partition: number, producerCount: number): PartitionState {
  const state = new PartitionState(partition)
  state.logStart = 2 ** 33
  state.nextOffset = 2 ** 34
  state.epochs.note(2, 2 ** 33)
  for (let producer = 1; producer <= producerCount; producer++) {
    const producerId = 2n ** 62n + BigInt(producer)
    for (let sequence = 0; sequence < 5; sequence++) {
      const sequenced = { producerId, producerEpoch: 3, baseSequence: sequence, lastOffsetDelta: 0 }
      state.producers.note(sequenced, 2 ** 33 + sequence, 1_700_000_000_000 + sequence)
    }
  }
  const firstOffset = 2 ** 33 + 7
  const aborted = { firstOffset, lastOffset: 2 ** 33 + 9, lastStableOffset: 2 ** 33 + 10 }
  state.transactions.restore([{ producerId: 8n, firstOffset }], [{ producerId: 9n, ...aborted }])
  const segment = {
    baseOffset: 2 ** 33,
    sizeInBytes: 2 ** 35,
    firstTimestamp: -1,
    greatestTimestamp: 2 ** 60,
  }
  state.virtualSegments.restore([{ ...segment, createdMs: 1, lastWriteMs: 2 }], 2 ** 34)
  return state
}

function kept(states: readonly PartitionState[]): ReturnType<typeof readCheckpoint> {
  return readCheckpoint(writeCheckpoint(head, writeBookmarks(states, 6)))
}

/** What a partition's bookmark is made of, to be compared. */
function factsOf({
  partition,
  logStart,
  nextOffset,
  epochs,
  producers,
  transactions,
  virtualSegments,
}: PartitionState) {
  return {
    partition,
    logStart,
    nextOffset,
    epochs: epochs.entries,
    producers: Array.from(producers, ({ producerId, epoch, lastTimestamp, batches }) => ({
      producerId,
      epoch,
      lastTimestamp,
      batches,
    })),
    open: [...transactions.open()],
    aborted: transactions.aborted.entries,
    segments: virtualSegments.bookmarks,
    segmentsEnd: virtualSegments.endOffset,
  }
}

test('a checkpoint gives back what was known of each partition', () => {
  const state = stateOf(7, 2)
  const checkpoint = kept([state])
  expect(checkpoint).toMatchObject({ head, generationSwapped: 6 })
  expect(checkpoint!.states.map(factsOf)).toEqual([factsOf(state)])
})

test('a partition in which nothing was ever written is not kept', () => {
  expect(kept([new PartitionState(1), stateOf(2, 0)])!.states.map(({ partition }) => partition)).toEqual([2])
})

// What comes from outside may have half a million parts in a message, and a checkpoint was read as if it came from there.
test('a checkpoint of many partitions with many producers is read however much is in it', () => {
  const states = Array.from({ length: 10_000 }, (_, partition) => stateOf(partition, 10))
  expect(kept(states)!.states).toHaveLength(10_000)
})

test('a checkpoint with one wrong bit is none', () => {
  const bytes = writeCheckpoint(head, writeBookmarks([stateOf(1, 1)], 6))
  bytes[bytes.length - 1]! ^= 1
  expect(readCheckpoint(bytes)).toBeUndefined()
})
