import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { VlsnLedger } from './clients/vlsn-ledger.ts'
import { InvariantError } from './hold.ts'

/** A ledger that has read these VLSNs in the partitions. */
function ledgerOf(vlsns: readonly bigint[]): VlsnLedger {
  const ledger = new VlsnLedger({ random: seededRandom(8600) })
  for (const vlsn of vlsns) {
    const partition = ledger.partitionOf(vlsn)
    ledger.readPartition(partition, BigInt(ledger.log(partition).length), vlsn)
  }
  return ledger
}

test('a view may go on by gaps that are closed after it was asked for its end', () => {
  const ledger = ledgerOf([0n, 67n, 70n, 78n, 90n])
  ledger.verify([0n, 67n, 70n], 71n)
  ledger.verify([0n, 67n, 70n, 78n], 71n)
})

test.each([
  { what: 'misses a record below its end', view: [0n, 70n], end: 71n },
  { what: 'misses one at its end', view: [0n, 67n], end: 71n },
  { what: 'has gone on and left one out', view: [0n, 67n, 70n, 90n], end: 71n },
  { what: 'has gone on to one that no partition has', view: [0n, 67n, 70n, 77n], end: 71n },
  { what: 'shows one below its end that no partition has', view: [0n, 66n, 67n, 70n], end: 71n },
  { what: 'shows nothing', view: [], end: 71n },
])('a view is found out that $what', ({ view, end }) => {
  const ledger = ledgerOf([0n, 67n, 70n, 78n, 90n])
  expect(() => ledger.verify(view, end)).toThrow(InvariantError)
})
