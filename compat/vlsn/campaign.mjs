// Two campaigns over a VLSN topic that the client library writes and that unmodified clients read: all of it in order through the view, and
// resuming after kills of clients and broker.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChance } from '../chance.mjs'
import { client as connect, createTopic, openAdmin } from '../kafkajs/kit.mjs'
import { startMortalBroker } from '../mortal-broker.mjs'
import { eventually } from '../scenarios.mjs'
import { setGroupConfig } from '../wire.mjs'
import { now, runToEnd, supervise } from './programs.mjs'
import { findFaults, openOrder } from './verdict.mjs'

/** Whoever gets nothing done for so long, with everything up, never will. */
const patienceMs = 90_000
const gapTimeoutMs = 2_000
const sendRecords = 5_000
const seekCount = 3
const rangeRecordsMax = 10_000

/** What the broker is told, so that a kill is noticed within the campaign. */
const properties = {
  'group.min.session.timeout.ms': 1_000,
  'group.consumer.min.heartbeat.interval.ms': 300,
  'group.consumer.heartbeat.interval.ms': 300,
  'group.consumer.min.session.timeout.ms': 3_000,
  'group.consumer.session.timeout.ms': 3_000,
  'group.consumer.assignment.interval.ms': 0,
}

/** Runs `work` on a broker of its own that has a VLSN topic. */
async function onTopic({ start, partitions }, work) {
  const broker = await startMortalBroker(given => start({ ...given, properties }))
  const closers = []
  const context = { address: broker.address, defer: close => closers.unshift(close) }
  try {
    const configEntries = [
      { name: 'odradek.partitioning', value: 'vlsn' },
      { name: 'odradek.vlsn.gap.timeout.ms', value: String(gapTimeoutMs) },
    ]
    const topic = await createTopic(context, 'vlsn', { numPartitions: partitions, configEntries })
    return await work({ broker, context, topic, view: `${topic}.vlsn` })
  } finally {
    for (const close of closers) await Promise.resolve(close()).catch(() => {})
    await broker.remove()
  }
}

/**
 * Has so many records written, and has each client read all of them in order through the view, as a member of a group, and then
 * from some VLSNs on: one record, and a range.
 * @param {{ start: Function, readers: { name: string, reader: object, client: object }[], records: number,
 *   partitions: number, seed: number, progress?: (line: string) => void }} options `start` starts the broker, `reader` is of
 *   clients.mjs, `client` what its folder's `prepare` gave
 * @returns {Promise<{ faults: string[], figures: { name: string, seconds: number }[] }>}
 * @throws when nothing gets done any more
 */
export async function runReads({ readers, records, seed, progress = () => {}, ...options }) {
  return onTopic(options, async ({ broker, context, topic, view }) => {
    const writtenMs = await write({ broker, context, topic, records })
    progress(`${records} records written in ${seconds(writtenMs)} s`)
    const faults = []
    const figures = []
    for (const { name, reader, client } of readers) {
      const place = { reader, client, address: broker.address, view }
      const whole = await readWhole(place, `whole-${name}`, records)
      figures.push({ name, seconds: whole.ms / 1_000 })
      progress(`${name}: ${records} records in order in ${seconds(whole.ms)} s, ${rate(records, whole.ms)}/s`)
      const sought = await readRanges(place, records, createChance(seed))
      progress(`${name}: ${sought.said}`)
      faults.push(...[...whole.faults, ...sought.faults].map(fault => `${name}: ${fault}`))
    }
    return { faults, figures }
  })
}

const seconds = ms => (ms / 1_000).toFixed(1)
const rate = (count, ms) => Math.round(count / (ms / 1_000))

async function openWriter({ broker, context, topic }) {
  // Built by now, and not when this file is loaded.
  const { VlsnProducer } = await import('../../dist/client/index.js')
  const { SequencerFolder } = await import('../../dist/sequencers/index.js')
  const folder = await SequencerFolder.open(join(broker.folder, 'counter'))
  context.defer(() => folder.close())
  const sequencer = await folder.obelisk(topic)
  const producer = await VlsnProducer.open(connect(broker.address), { topic, sequencer })
  context.defer(() => producer.close())
  return producer
}

/** Writes VLSN n with the value n. */
async function write({ broker, context, topic, records }) {
  const startedAt = now()
  const producer = await openWriter({ broker, context, topic })
  for (let from = 0; from < records; from += sendRecords) {
    const count = Math.min(sendRecords, records - from)
    const vlsns = await producer.writeBatch(Array.from({ length: count }, (_, index) => String(from + index)))
    if (Number(vlsns[0]) !== from) throw new Error(`${from} was given the VLSN ${vlsns[0]}`)
  }
  return now() - startedAt
}

async function readWhole({ reader, client, address, view }, group, records) {
  const order = openOrder({ from: 0, to: records })
  const startedAt = now()
  const take = event => event.event === 'read' && order.take(event.records)
  const member = supervise(
    reader.follow(client, address, { topic: view, group, reads: 'view', count: records }),
    take,
  )
  member.start()
  try {
    await eventually('the whole view', () => order.isWhole, {
      timeoutMs: patienceMs + records,
      state: () => `${order.faults()} (the client said: ${member.complaint()})`,
    })
  } finally {
    await member.kill()
  }
  return { ms: now() - startedAt, faults: order.faults() }
}

/** Single VLSNs, and a range. */
async function readRanges({ reader, client, address, view }, records, chance) {
  const range = Math.min(rangeRecordsMax, Math.floor(records / 2))
  const singles = Array.from({ length: seekCount }, () => chance.below(records)).map(vlsn => [vlsn, vlsn + 1])
  const from = chance.below(records - range)
  const faults = []
  const startedAt = now()
  for (const [first, end] of [...singles, [from, from + range]]) {
    const order = openOrder({ from: first, to: end })
    const take = event => event.event === 'read' && order.take(event.records)
    await runToEnd(reader.range(client, address, view, first, end), take)
    faults.push(...order.faults().map(fault => `from ${first} to ${end}: ${fault}`))
  }
  const said = `${seekCount} VLSNs sought and a range of ${range} read in ${seconds(now() - startedAt)} s`
  return { faults, said }
}

/**
 * Has records written, and read by two groups of one client each, through the view and by partitions under the strategy `vlsn`, while client,
 * broker or both are killed again and again, in one time of two the writer too.
 * @param {{ start: Function, reader: object, client: object, kills: number, partitions: number, seed: number,
 *   progress?: (line: string) => void }} options as of {@link runReads}
 * @returns {Promise<{ faults: string[], summary: string, history: object[] }>} `history` is of verdict.d.mts
 * @throws when nothing gets done any more
 */
export async function runKills({ reader, client, kills, seed, progress = () => {}, ...options }) {
  return onTopic(options, async scene => {
    const { broker, context, topic, view } = scene
    const { address } = broker
    const chance = createChance(seed)
    const history = []
    const add = event => history.push({ at: now(), ...event })
    const names = { view: `view-of-${topic}`, partitions: `partitions-of-${topic}` }
    await setGroupConfig(address, names.partitions, 'odradek.commit.strategy', 'vlsn')

    const follow = group => {
      const named = {
        topic: group === 'view' ? view : topic,
        group: names[group],
        reads: group,
        isKilled: true,
      }
      const state = { commits: 0, readTo: new Map(), error: '' }
      const onEvent = event => {
        history.push({ ...event, group })
        if (event.event === 'ended') state.error = event.error
        if (event.event === 'committing') state.commits++
        if (event.event === 'read')
          for (const [partition, offset] of event.records) state.readTo.set(partition, offset + 1)
      }
      const program = supervise(reader.follow(client, address, named), onEvent)
      context.defer(program.kill)
      return { ...program, state }
    }
    const groups = { view: follow('view'), partitions: follow('partitions') }
    const both = {
      start: () => Object.values(groups).forEach(group => group.start()),
      kill: () => Promise.all(Object.values(groups).map(group => group.kill())),
    }
    const command = [process.execPath, '--no-warnings', join(import.meta.dirname, 'writer.mjs')]
    const counter = join(broker.folder, 'counter')
    const writer = supervise({ command: [...command, address, topic, counter, String(seed)] }, event =>
      history.push(event),
    )
    context.defer(writer.kill)

    const admin = await openAdmin(context)
    const told = async group => {
      const { partitions: offsets, number } = await offsetsOf(admin, names[group], { topic, view })
      const own = group === 'view' ? [[0, number]] : offsets
      return { event: 'told', group, offsets: own, number }
    }
    const lookAtEnd = async () => {
      const [{ high }] = await admin.fetchTopicOffsets(view)
      add({ event: 'view-end', end: Number(high) })
    }

    writer.start()
    both.start()
    const killed = { client: 0, broker: 0, both: 0 }
    for (let cycle = 1; cycle <= kills; cycle++) {
      await untilKill({ groups, writer, chance, isFirst: cycle === 1, lookAtEnd, history })
      const victim = chance.pick(Object.keys(killed))
      killed[victim]++
      const isWriterToo = victim !== 'broker' && chance.chance(0.5)
      const killBroker = async () => {
        add({ event: 'broker-killed' })
        await broker.kill()
      }
      const victims = {
        client: [both.kill],
        broker: [killBroker],
        both: [both.kill, killBroker],
      }[victim]
      if (isWriterToo) victims.push(writer.kill)
      if (chance.chance(0.5)) victims.reverse()
      for (const kill of victims) await kill()
      if (victim !== 'client') {
        await broker.restart()
        add({ event: 'broker-back' })
        await lookAtEnd()
      }
      if (victim !== 'broker') {
        for (const group of Object.keys(groups)) add(await told(group))
        both.start()
      }
      if (isWriterToo) writer.start()
      progress(`${cycle}/${kills} killed ${victim}${isWriterToo ? ' and writer' : ''}, ${said(history)}`)
    }

    await writer.kill()
    await closeView(scene, add, options.partitions)
    await rest({ groups, told, admin, topic, view, seed })
    await both.kill()
    for (const group of Object.keys(groups)) add(await told(group))
    const stored = await readStored(address, { topic, view, partitions: options.partitions })
    const { faults, figures } = findFaults(history, stored)
    return {
      history,
      faults: faults.map(({ kind, what }) => `${kind}: ${what}`),
      summary:
        `${stored.view.length} records; killed ${killed.client} times the client, ${killed.broker} the broker, ` +
        `${killed.both} both; through the view ${figure(figures.view)}; by partitions ${figure(figures.partitions)}`,
    }
  })
}

const figure = ({ sessions, deliveries, resumes, repeats, repeatsMax }) =>
  `${sessions} processes, ${deliveries} deliveries, ${resumes} times gone on elsewhere, ${repeats} read again ` +
  `(at most ${repeatsMax} at once)`

function said(history) {
  const count = event =>
    history.reduce((sum, each) => sum + (each.event === event ? each.records.length : 0), 0)
  return `${count('written')} records acknowledged, ${count('read')} deliveries`
}

/** Mostly when both groups have committed since, one time in four whenever it is, be it amid a start. */
async function untilKill({ groups, writer, chance, isFirst, lookAtEnd, history }) {
  await lookAtEnd()
  if (!isFirst && chance.chance(0.25)) return sleep(chance.below(1_500))
  const all = Object.entries(groups)
  const before = all.map(([, { state }]) => state.commits)
  const beforeAll = history.length
  const hasCommitted = () => all.every(([, { state }], index) => state.commits > before[index] + 1)
  await eventually('a commit of both groups', hasCommitted, {
    timeoutMs: patienceMs,
    state: () =>
      `(${all.map(([name, { state, complaint }]) => `${name}: ${state.commits} commits, ${state.error || complaint()}`).join('; ')}; ` +
      `the writer: ${writer.complaint()}; since: ${said(history.slice(beforeAll))})`,
  })
  await lookAtEnd()
  return sleep(chance.below(400))
}

async function offsetsOf(admin, groupId, { topic, view }) {
  const fetched = await admin.fetchOffsets({ groupId, topics: [topic, view] })
  const of = name => fetched.find(each => each.topic === name).partitions
  return {
    partitions: of(topic).map(({ partition, offset }) => [partition, Number(offset)]),
    number: Number(of(view)[0].offset),
  }
}

/** The last record of each partition: nothing that is missing can be before them any more. */
async function closeView(scene, add, partitions) {
  const producer = await openWriter(scene)
  const values = Array.from({ length: partitions }, (_, index) => `last-${index}`)
  add({ event: 'writing', values })
  const vlsns = await producer.writeBatch(values)
  add({ event: 'written', records: vlsns.map((vlsn, index) => [Number(vlsn), values[index]]) })
}

/** Waits until both groups have read and committed everything; that they never do is the verdict's to say. */
async function rest({ groups, told, admin, topic, view }) {
  const endsOf = async name =>
    (await admin.fetchTopicOffsets(name)).map(({ partition, high }) => [partition, Number(high)])
  for (const group of Object.keys(groups)) {
    const ends = await endsOf(group === 'view' ? view : topic)
    const isDone = async () => {
      const at = new Map((await told(group)).offsets)
      await sleep(100)
      return ends.every(([partition, end]) => (at.get(partition) ?? 0) >= end)
    }
    await eventually('rest', isDone, { timeoutMs: patienceMs }).catch(() => {})
  }
}

/** What is there in the end, by a reader of its own. */
async function readStored(address, { topic, view, partitions }) {
  const program = join(import.meta.dirname, '..', 'kafkajs', 'vlsn-reader.mjs')
  const all = async (name, count) => {
    const records = Array.from({ length: count }, () => [])
    const command = [process.execPath, '--no-warnings', program, 'all', address, name]
    await runToEnd({ command }, event => {
      for (const record of event.records ?? []) records[record[0]].push(record)
    })
    return records
  }
  const [ofView] = await all(view, 1)
  return { partitions: await all(topic, partitions), view: ofView }
}
