// One JVM runs every tool of every scenario (src/ToolBox.java). What a tool prints is compared line by line: names are those of
// the scenario, spaces are single, and lines are sorted, for the tools print rows in the order of a hash map.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { awaitLeaders, openAdmin, openProducer } from '../kafkajs/kit.mjs'
import { unique } from '../scenarios.mjs'

/** Starts the program; it answers commands in their order, and ends with this one. */
function openToolBox(address) {
  const [java, ...args] = JSON.parse(process.env.KAFKA_TOOLS_COMMAND)
  const child = spawn(java, [...args, address], { stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = []
  createInterface({ input: child.stdout }).on('line', line => waiting.shift()(JSON.parse(line)))
  child.once('exit', () => waiting.splice(0).forEach(take => take({ failure: 'the tools have ended' })))
  return async command => {
    const answer = await new Promise(resolve => {
      waiting.push(resolve)
      child.stdin.write(`${JSON.stringify(command)}\n`)
    })
    if (answer.failure) throw new Error(`${JSON.stringify(command)}: ${answer.failure}`)
    return answer
  }
}

const ask = openToolBox(process.argv[2])

const day = 24 * 60 * 60 * 1000
const [longAgo, lately] = [2 / 24, 0.5 / 24].map(days => Date.now() - days * day)

/** When record `index` of a partition was made: the first three two hours ago, the others half an hour ago, a second each. */
export const madeAt = index => new Date((index < 3 ? longAgo : lately) + index * 1_000)

/** What a tool says of a partition t that has no record as late as asked for. */
export const noneSoLate = partition =>
  `Warn: Partition ${partition} from topic t is empty. Falling back to latest known offset.`

/** What one scenario works with: topics with records, groups and their members, and what the tools say of them. */
export class Place {
  #context
  #labels = new Map()

  constructor(context) {
    this.#context = context
  }

  /** A name nobody has used, which the tools' output is read to call `label`. */
  name(label) {
    const name = unique(`tools-${label}`)
    this.#labels.set(name, label)
    return name
  }

  /** A topic with so many records in each partition; keys are k0, k1, ... and values v0, v1, v2, v0, ... */
  async topic(label, recordCounts) {
    const topic = this.name(label)
    const admin = await openAdmin(this.#context)
    const numPartitions = recordCounts.length
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] })
    await awaitLeaders(admin, topic, numPartitions)
    const producer = await openProducer(this.#context)
    const messages = recordCounts.flatMap((count, partition) =>
      Array.from({ length: count }, (_, index) => ({
        partition,
        key: `k${index}`,
        value: `v${index % 3}`,
        timestamp: `${madeAt(index).getTime()}`,
      })),
    )
    await producer.send({ topic, messages })
    return topic
  }

  /** The topics of the broker that this scenario has named, or that begin with a name of its own. */
  async topics() {
    const topics = await (await openAdmin(this.#context)).listTopics()
    return this.#lines(this.#ours(topics.join('\n'))).sort()
  }

  /** Sets configs of a group. */
  async configure(group, configs) {
    const args = ['--alter', '--entity-type', 'groups', '--entity-name', group, '--add-config', configs]
    await this.tool('kafka-configs').prints(args, [
      `Completed updating config for group ${this.#labels.get(group)}.`,
    ])
  }

  /**
   * A member that has read what is there (`records` of them), and has committed it.
   * @returns {Promise<() => Promise<void>>} to let it leave
   */
  async join(kind, group, topics, { name = 'one', records = 0 } = {}) {
    const state = await this.#folder()
    await ask({ join: kind, group, topics, name, records, state })
    let isIn = true
    const leave = async () => {
      if (isIn) await ask({ leave: name })
      isIn = false
    }
    this.#context.defer(leave)
    return leave
  }

  /** A file of these lines. */
  async file(lines) {
    const path = join(await this.#folder(), 'plan.csv')
    await writeFile(path, lines.map(line => `${line}\n`).join(''))
    return path
  }

  async #folder() {
    const folder = await mkdtemp(join(tmpdir(), 'compat-kafka-tools-'))
    this.#context.defer(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  /** A tool by its name. */
  tool(tool) {
    const run = async args => {
      const { code, out, err } = await ask({ tool, args })
      return {
        code,
        out: this.#lines(out),
        err: withoutTail(this.#lines(err)),
        ours: this.#lines(this.#ours(out)),
      }
    }
    const complain = (args, said) => {
      const ours = this.#lines(args.join(' ')).join(' ')
      throw new Error(
        `${tool} ${ours} ended with ${said.code} and printed ${JSON.stringify([...said.out, ...said.err])}`,
      )
    }
    return {
      /** Expects these lines, in any order, on both outputs together, and that it ends well. */
      prints: async (args, lines) => {
        const said = await run(args)
        if (said.code !== 0 || !isEqual([...said.out, ...said.err], lines)) complain(args, said)
      },
      /** Expects these lines among what it prints of other groups, which are not looked at. */
      lists: async (args, lines) => {
        const said = await run(args)
        if (said.code !== 0 || !isEqual(said.ours, lines)) complain(args, said)
      },
      /** Expects it to say `words` somewhere. @param {number} code what it ends with: most complain and end well */
      says: async (args, words, code = 0) => {
        const said = await run(args)
        if (said.code !== code || !words.test([...said.out, ...said.err].join('\n'))) complain(args, said)
      },
    }
  }

  /** The lines that begin with a name of this scenario. */
  #ours(text) {
    const names = [...this.#labels.keys()]
    const isOurs = line => names.some(name => line.trimStart().startsWith(name))
    return text.split('\n').filter(isOurs).join('\n')
  }

  /** Lines in the words of the scenario. Ids that brokers and clients make up are ID. */
  #lines(text) {
    let plain = text
    for (const [name, label] of this.#labels) plain = plain.replaceAll(name, label)
    return plain
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
      .replaceAll(/(?<=\s)[\w-]{22}(?=\s)/g, 'ID')
      .replaceAll(/127\.0\.0\.1:\d+ +\(\d+\)/g, 'BROKER')
      .split('\n')
      .map(line => line.trim().replaceAll(/\s+/g, ' '))
      .filter(line => line !== '')
  }
}

const isEqual = (lines, expected) => [...lines].sort().join('\n') === [...expected].sort().join('\n')

/** Without the stack traces and the list of options that tools print behind what they have to say. */
function withoutTail(lines) {
  const options = lines.indexOf('Option Description')
  const said = options < 0 ? lines : lines.slice(0, options)
  return said.filter(line => !/^(at |Caused by: |\.\.\. \d|[a-z]+\.[a-z]+\.)/.test(line))
}
