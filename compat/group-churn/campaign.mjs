// One campaign: a group whose members join, leave and crash at random while a producer runs and, when asked, the broker is
// killed in the middle. Then its history is judged.
import { setTimeout as sleep } from 'node:timers/promises'
import { createChance } from '../chance.mjs'
import { createTopic, openAdmin, openProducer } from '../kafkajs/kit.mjs'
import { startMortalBroker } from '../mortal-broker.mjs'
import { eventually } from '../scenarios.mjs'
import { now, startProgram } from './programs.mjs'
import { findViolations } from './verdict.mjs'

export const protocols = ['classic', 'consumer', 'share']

const heartbeatMs = 500
const sessionMs = 6_000
/** Java machines that the members live in; killing one crashes all of its members at once. */
const hostCount = 2
const deliveriesMax = 10
/** Nothing more happens in a group that was silent for so long. */
const silenceMs = 2_500
const patienceMs = 60_000

/** What the broker is told, so that a crash is noticed within the campaign. */
const properties = {
  ...Object.fromEntries(
    ['consumer', 'share'].flatMap(kind => [
      [`group.${kind}.min.heartbeat.interval.ms`, heartbeatMs],
      [`group.${kind}.heartbeat.interval.ms`, heartbeatMs],
      [`group.${kind}.min.session.timeout.ms`, sessionMs],
      [`group.${kind}.session.timeout.ms`, sessionMs],
      [`group.${kind}.assignment.interval.ms`, 0],
    ]),
  ),
  'group.share.min.record.lock.duration.ms': 1_000,
  'group.share.record.lock.duration.ms': 3_000,
}

/**
 * Runs one campaign on a broker of its own.
 * @param {{ protocol: 'classic' | 'consumer' | 'share', programs: Record<string, string[]>, start: Function,
 *   memberCount: number, partitions: number, seconds: number, seed: number, isBrokerKilled: boolean,
 *   convergenceIntervalsMax?: number, progress?: (line: string) => void }} options `programs` are the Java client's;
 *   `start` starts the broker; slow convergence is no violation unless it has a limit
 * @returns {Promise<{ violations: { kind: string, what: string }[], summary: string, history: object[] }>}
 * @throws when the group never comes to rest
 */
export async function runCampaign(options) {
  const { protocol, programs, start, partitions, seed, progress = () => {} } = options
  const broker = await startMortalBroker(given => start({ ...given, properties }))
  const closers = []
  const context = { address: broker.address, defer: close => closers.unshift(close) }
  try {
    const topic = await createTopic(context, `churn-${protocol}`, { numPartitions: partitions })
    const group = `group-of-${topic}`
    const history = openHistory()
    const watch = startProgram([...programs['group-watch'], broker.address, protocol, group], history.add)
    closers.unshift(watch.kill)
    await eventually('the watch', () => history.isWatched, { timeoutMs: patienceMs })

    const command = [
      ...programs['group-members'],
      broker.address,
      protocol,
      topic,
      group,
      heartbeatMs,
      sessionMs,
    ]
    const churn = openChurn({ command: command.map(String), history, chance: createChance(seed), ...options })
    closers.unshift(churn.close)
    const producing = produce(await openProducer(context), topic, partitions, history)
    closers.unshift(producing.stop)

    for (let index = 0; index < options.memberCount; index++) churn.join()
    await history.rest(churn.living)
    progress(`${churn.living().length} members are in`)
    await churnOn(churn, broker, history, options, progress)
    await producing.stop()
    await history.rest(churn.living)

    const admin = await openAdmin(context)
    const ends = (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [
      partition,
      Number(high),
    ])
    const byPartition = ends.toSorted(([a], [b]) => a - b).map(([, end]) => end)
    await history.drained(byPartition)
    history.add({ at: now(), event: 'rested', members: churn.living(), ends: byPartition })
    return conclude(history.events, churn, options)
  } finally {
    for (const close of closers) await Promise.resolve(close()).catch(() => {})
    await broker.remove()
  }
}

/** Changes the group until the time is over, and kills the broker halfway. */
async function churnOn(churn, broker, history, { seconds, isBrokerKilled }, progress) {
  const endsAt = now() + seconds * 1000
  let killsAt = isBrokerKilled ? now() + seconds * 500 : Infinity
  while (now() < endsAt) {
    if (now() >= killsAt) {
      killsAt = Infinity
      history.add({ at: now(), event: 'broker-killed' })
      await broker.kill()
      await broker.restart()
      history.add({ at: now(), event: 'broker-back' })
      progress('the broker was killed and is back')
    }
    await churn.change()
    await churn.pause()
  }
}

/** All that happened, and what can be said of it while it happens. */
function openHistory() {
  const events = []
  const delivered = new Set()
  let members = ''
  let changedAt = now()
  let isWatched = false
  const add = event => {
    events.push(event)
    if (event.event === 'watching') isWatched = true
    if (event.event === 'delivered')
      for (const [partition, offset, , , choice = 'accept'] of event.records)
        if (choice === 'accept') delivered.add(`${partition}@${offset}`)
    if (event.event === 'described')
      members = event.members
        .map(({ name }) => name)
        .toSorted()
        .join(' ')
    if (['described', 'assigned', 'revoked', 'lost'].includes(event.event)) changedAt = event.at
  }
  return {
    events,
    add,
    get isWatched() {
      return isWatched
    },
    /** The members that should be in are in, and nothing changes any more. */
    rest: living =>
      eventually('rest', () => members === living().toSorted().join(' ') && now() - changedAt > silenceMs, {
        timeoutMs: patienceMs,
        state: () => `(in are ${members}; should be ${living().toSorted().join(' ')})`,
      }),
    /** Waits for every record; that some never come is the verdict's to say. */
    drained: ends => {
      const wanted = ends.reduce((sum, end) => sum + end, 0)
      return eventually('every record', () => delivered.size >= wanted, { timeoutMs: 30_000 }).catch(() => {})
    },
  }
}

/** Sends records to all partitions in turn, all the time; what is not acknowledged was never promised. */
function produce(producer, topic, partitions, history) {
  let number = 0
  const stopping = new AbortController()
  const once = async () => {
    const batch = Array.from({ length: 10 }, () => ({
      partition: number % partitions,
      value: String(number++),
    }))
    const answers = await producer.send({ topic, messages: batch }).catch(() => [])
    const values = new Map(batch.map(({ partition, value }) => [partition, value]))
    const records = answers.map(({ partition, baseOffset }) => [
      partition,
      Number(baseOffset),
      values.get(partition),
    ])
    history.add({ at: now(), event: 'produced', records })
    await sleep(50)
  }
  const done = (async () => {
    while (!stopping.signal.aborted) await once()
  })()
  const stop = () => {
    stopping.abort()
    return done
  }
  return { stop }
}

/** The members, and what chance does to them. */
function openChurn({ command, history, chance, memberCount }) {
  const startHost = () => {
    const members = new Set()
    const program = startProgram(command, event => {
      // Whoever failed is not waited for; the verdict tells.
      if (event.event === 'failed') members.delete(event.member)
      history.add(event)
    })
    return { program, members }
  }
  const hosts = Array.from({ length: hostCount }, startHost)
  const done = { join: 0, leave: 0, crash: 0, host: 0 }
  const living = () => hosts.flatMap(({ members }) => [...members])
  const join = () => {
    done.join++
    const name = `m${done.join}`
    const host = hosts.toSorted((a, b) => a.members.size - b.members.size)[0]
    host.members.add(name)
    host.program.tell(`join ${name} ${chance.below(2 ** 31)}`)
  }
  const lose = way => {
    const name = chance.pick(living())
    done[way]++
    const host = hosts.find(({ members }) => members.has(name))
    host.members.delete(name)
    host.program.tell(`${way} ${name}`)
  }
  const killHost = async () => {
    const index = chance.below(hostCount)
    done.host++
    const { program, members } = hosts[index]
    const at = now()
    await program.kill()
    history.add({ at, event: 'host-killed', members: [...members] })
    hosts[index] = startHost()
    for (let count = members.size; count > 0; count--) join()
  }
  const change = async () => {
    const lot = chance.below(100)
    const isFull = living().length >= memberCount
    if (lot < 3) await killHost()
    else if (!isFull && (lot < 50 || living().length <= memberCount / 2)) join()
    else lose(chance.chance(0.5) ? 'leave' : 'crash')
  }
  const pause = () => sleep(200 + chance.below(1_800))
  const close = () => Promise.all(hosts.map(({ program }) => program.kill()))
  return { done, living, join, change, pause, close }
}

function conclude(events, { done }, { protocol, convergenceIntervalsMax = Infinity }) {
  const startedAt = events[0].at
  const history = events.map(event => ({ ...event, at: event.at - startedAt }))
  const { violations, figures } = findViolations(history, {
    protocol,
    heartbeatMs,
    convergenceIntervalsMax,
    deliveriesMax,
  })
  const changes =
    `${done.join} joined, ${done.leave} left, ${done.crash} crashed, ${done.host} times a process of half of them ` +
    `was killed`
  const told =
    protocol === 'share'
      ? `delivery counts up to ${figures.deliveryCountMax}`
      : `${figures.assignments} assignments, ${figures.fenced} members fenced`
  const summary =
    `${changes}; ${told}; ${figures.records} records, ${figures.deliveries} deliveries; converged ` +
    `${figures.convergenceIntervals.toFixed(1)} heartbeat intervals after the last change was noticed`
  return { violations, summary, history }
}
