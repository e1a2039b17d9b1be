// One campaign: a program that consumes, transforms and produces exactly once, killed and started again, and so is its
// broker, in the middle of it all. Then its output is held against its input.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChance } from '../chance.mjs'
// franz-go compresses by snappy unless told otherwise.
import '../kafkajs/codecs.mjs'
import { createTopic, openMember, openProducer } from '../kafkajs/kit.mjs'
import { startMortalBroker } from '../mortal-broker.mjs'
import { eventually } from '../scenarios.mjs'
import { workloads } from './workloads.mjs'

const partitions = 3
/** Records that come with every cycle, so that there is work whenever something is killed. */
const recordsPerCycle = 120
/** Whoever gets nothing done for so long, with everything up, never will. */
const patienceMs = 90_000

const processes = new Set()
process.once('exit', () => {
  for (const child of processes) child.kill('SIGKILL')
})

/** A program that is started again whenever it ends by itself, as a supervisor would. */
function supervise([command, ...args]) {
  const state = { progress: 0, endings: [], complaint: '' }
  let child
  let isWanted = true
  const start = () => {
    child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    processes.add(child)
    createInterface({ input: child.stdout }).on('line', line => {
      if (/^(committed|counted) /.test(line)) state.progress++
      else state.endings.push(line)
    })
    // A program that cannot even start says so here.
    createInterface({ input: child.stderr }).on('line', line => (state.complaint = line))
    const { pid } = child
    child.once('exit', () => {
      processes.forEach(each => each.pid === pid && processes.delete(each))
      if (isWanted) setTimeout(() => isWanted && start(), 200)
    })
  }
  const kill = async () => {
    isWanted = false
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const restart = () => {
    isWanted = true
    start()
  }
  start()
  return { state, kill, restart }
}

/**
 * Runs one campaign on a broker of its own.
 * @param {{ program: { name: string, command: string[] }, start: Function, cycles: number, seed: number,
 *   progress?: (line: string) => void }} options `program.name` is a workload's, `start` starts the broker
 * @returns {Promise<{ anomalies: string[], summary: string }>}
 * @throws when nothing gets done any more
 */
export async function runCampaign({ program, start, cycles, seed, progress = () => {} }) {
  const workload = workloads[program.name]
  const chance = createChance(seed)
  const broker = await startMortalBroker(start)
  const closers = []
  const context = { address: broker.address, defer: close => closers.unshift(close) }
  try {
    const input = await createTopic(context, 'exactly-once-input', { numPartitions: partitions })
    const output = await createTopic(context, 'exactly-once-output', { numPartitions: partitions })
    const feeder = await openProducer(context)
    let fed = 0
    const feed = async () => {
      const messages = Array.from({ length: recordsPerCycle }, () => {
        const number = fed++
        return { partition: number % partitions, value: workload.value(chance, number) }
      })
      // A record that was written twice since its answer was lost is two records of input.
      await feeder.send({ topic: input, messages })
    }
    const args = [broker.address, input, output, `group-of-${input}`, `name-of-${input}`]
    const worker = supervise([...program.command, ...args, join(broker.folder, 'state')])
    closers.unshift(worker.kill)

    const kills = { client: 0, broker: 0, both: 0 }
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await feed()
      await untilKill(worker, chance, cycle)
      const victim = chance.pick(Object.keys(kills))
      kills[victim]++
      const victims = { client: [worker], broker: [broker], both: [worker, broker] }[victim]
      if (chance.chance(0.5)) victims.reverse()
      for (const each of victims) await each.kill()
      for (const each of victims.toReversed()) await each.restart()
      progress(
        `${cycle}/${cycles} killed ${victim}, ${fed} records fed, ${worker.state.progress} transactions told`,
      )
    }

    const wrong = await judge({ context, workload, input, output, worker })
    const { endings } = worker.state
    return {
      anomalies: wrong.anomalies,
      summary:
        `${wrong.inputCount} records in, ${wrong.outputCount} out, ${wrong.abortedCount} aborted ones hidden; killed ` +
        `${kills.client} times the client, ${kills.broker} the broker, ${kills.both} both; the client ended ` +
        `${endings.length} times by itself${endings.length > 0 ? `, last: ${endings.at(-1).slice(0, 150)}` : ''}`,
    }
  } finally {
    for (const close of closers) await Promise.resolve(close()).catch(() => {})
    await broker.remove()
  }
}

/** Mostly amid transactions; one time in four whenever it is, be it amid a start. */
async function untilKill(worker, chance, cycle) {
  if (cycle > 1 && chance.chance(0.25)) return sleep(chance.below(1_500))
  const before = worker.state.progress
  await eventually('a transaction', () => worker.state.progress > before, {
    timeoutMs: patienceMs,
    state: () => `(the client said: ${worker.state.endings.at(-1) ?? worker.state.complaint})`,
  })
  return sleep(chance.below(250))
}

/** Waits for all of the output, lets a last record follow in every partition, and reads up to it at both levels. */
async function judge({ context, workload, input, output, worker }) {
  // The last records of the input are input too.
  const all = await readAll(context, input)
  const committed = await openMember(context, output)
  const wanted = workload.outputCount(all)
  // Not a failure yet: the verdict says what is missing.
  const arrived = () => committed.messages.length >= wanted
  await eventually('the whole output', arrived, { timeoutMs: patienceMs }).catch(() => {})
  await worker.kill()
  const messages = (await readAll(context, output, committed)).filter(isOutput)
  const uncommittedReader = await openMember(context, output, { readUncommitted: true })
  const uncommitted = (await readAll(context, output, uncommittedReader)).filter(isOutput)
  return {
    anomalies: workload.verdict(all, messages),
    inputCount: all.length,
    outputCount: messages.length,
    abortedCount: uncommitted.length - messages.length,
  }
}

const last = 'the last record'
const isLast = ({ key }) => key?.toString() === last
const isOutput = message => !isLast(message)

/** Everything up to a record that follows now in every partition: nothing open or unread can hide behind it. */
async function readAll(context, topic, reader) {
  const member = reader ?? (await openMember(context, topic))
  const producer = await openProducer(context)
  const messages = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    key: last,
    value: last,
  }))
  await producer.send({ topic, messages })
  const isWhole = () =>
    new Set(member.messages.filter(isLast).map(({ partition }) => partition)).size === partitions
  await eventually(`the end of ${topic}`, isWhole, { timeoutMs: patienceMs })
  return member.messages
}
