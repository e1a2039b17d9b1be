// Counters and ids that no crash repeats. Run it twice: the second run goes on where the first has ended.
//   node examples/sequencers.mjs [FOLDER]
import { MappingError, scarabParts, SequencerFolder } from 'odradek/sequencers'

// One process has a folder at a time; a second one is told StorageInUseError.
const folder = await SequencerFolder.open(process.argv[2] ?? 'sequencers-data')

// The size of a file is the counter. A hundred calls at once share a sync or two.
const invoices = await folder.obelisk('invoices')
const numbers = await Promise.all(Array.from({ length: 100 }, () => invoices.next()))
console.log(`invoices ${numbers[0]} to ${numbers.at(-1)}`)

// A range in one step, for a worker that numbers by itself.
const rows = await folder.checkpoint('rows', { every: 1000 })
const first = await rows.reserve(25)
console.log(`rows ${first} to ${first + 24n}`)

// Memory that outlives the process. It needs the optional package koffi.
try {
  const requests = await folder.fixedMmap('requests', { survives: 'kill' })
  console.log(`request ${await requests.next()}`)
} catch (error) {
  if (!(error instanceof MappingError)) throw error
  console.log(error.message)
}

// Ids that say when they were made and by whom, and rise with time.
const ids = await folder.scarab('messages', { datacenter: 1, worker: 2 })
const id = await ids.next()
const { timestampMs, datacenter, worker } = scarabParts(id)
console.log(
  `Scarab id ${id} was made at ${new Date(timestampMs).toISOString()} by worker ${worker} of datacenter ${datacenter}`,
)

// The coordinators' own.
const timestamps = await folder.timestampOracle('timestamps', { id: 7 })
const transactions = await folder.transactionIds('transactions', { id: 7 })
const sessions = await folder.sessionIds('sessions', { id: 7 })
console.log(`timestamp ${await timestamps.next()}`)
console.log(`transaction ${await transactions.next()}, session ${await sessions.next()}`)

await folder.close()
