// Hands out numbers in a process of its own until it is killed, and says each once it has it.
//   node sequencer-child.mjs FOLDER KIND
import { writeSync } from 'node:fs'
import { SequencerFolder } from '../../dist/sequencers/index.js'

const openers = {
  obelisk: folder => folder.obelisk('counter'),
  'obelisk, ahead': folder => folder.obelisk('counter', { ahead: 50 }),
  checkpoint: folder => folder.checkpoint('counter', { every: 50 }),
  'fixed mmap': folder => folder.fixedMmap('counter'),
  'fixed mmap, stored': folder => folder.fixedMmap('counter', { survives: 'kill' }),
  'bitmap mmap': folder => folder.bitmapMmap('counter', { capacity: 10_000_000 }),
  'bitmap mmap, stored': folder => folder.bitmapMmap('counter', { capacity: 10_000_000, survives: 'kill' }),
  scarab: folder => folder.scarab('ids', { datacenter: 1, worker: 2, windowMs: 20 }),
  'timestamp oracle': folder => folder.timestampOracle('ids', { id: 3, windowMs: 20 }),
  'transaction ids': folder => folder.transactionIds('ids', { id: 3, windowMs: 20 }),
  'session ids': folder => folder.sessionIds('ids', { id: 3, windowMs: 20 }),
}

const [path, kind] = process.argv.slice(2)
const folder = await SequencerFolder.open(path)
const source = await openers[kind](folder)

async function caller() {
  for (;;) writeSync(1, `${await source.next()}\n`)
}

await Promise.all(Array.from({ length: 8 }, caller))
