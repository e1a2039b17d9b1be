// One kcat command per step. Its output is read as latin1: one character per byte, so nothing is lost.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { awaitLeaders, client } from '../kafkajs/kit.mjs'
import { run } from '../process.mjs'
import { unique } from '../scenarios.mjs'

/** Runs kcat to its end; fails with its own words. */
export async function kcat(address, args, options = {}) {
  const result = await run('kcat', ['-b', address, '-X', 'topic.metadata.refresh.interval.ms=500', ...args], {
    timeoutMs: 20_000,
    encoding: 'latin1',
    ...options,
  })
  assert.ok(!result.timedOut, `kcat ${args.join(' ')} did not end`)
  assert.equal(result.code, 0, result.stderr.trim().split('\n').at(-1))
  return result.stdout
}

/** Runs kcat and expects it to fail, saying `words`. */
export async function kcatFails(address, args, words, options = {}) {
  const result = await run('kcat', ['-b', address, ...args], { timeoutMs: 20_000, ...options })
  assert.ok(!result.timedOut, `kcat ${args.join(' ')} did not end`)
  assert.notEqual(result.code, 0, `kcat ${args.join(' ')} succeeded`)
  assert.match(result.stderr, words)
}

/** Produces each line as a record. */
export const produceLines = ({ address }, topic, lines, args = []) =>
  kcat(address, ['-P', '-t', topic, '-p', '0', ...args], { input: lines.join('\n') })

/** Produces one file as one record, whatever its bytes. */
export async function produceFile({ address, defer }, topic, bytes, args = []) {
  const folder = await mkdtemp(join(tmpdir(), 'compat-kcat-'))
  defer(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'value')
  await writeFile(file, bytes)
  return kcat(address, ['-P', '-t', topic, '-p', '0', ...args, file])
}

// Lengths first, so that any byte may occur in key and value. Lengths of null are -1.
const format = ['-f', '%o %p %T %K %S [%h]\\n%k%s\\n']

function parse(text) {
  const records = []
  let rest = text
  while (rest.length > 0) {
    const [line, offset, partition, timestamp, keyLength, valueLength, headers] =
      /^(\d+) (\d+) (-?\d+) (-?\d+) (-?\d+) \[(.*)\]\n/.exec(rest)
    rest = rest.slice(line.length)
    const take = length => {
      const bytes = rest.slice(0, Math.max(0, length))
      rest = rest.slice(bytes.length)
      return length < 0 ? null : Buffer.from(bytes, 'latin1')
    }
    records.push({
      offset: Number(offset),
      partition: Number(partition),
      timestamp: Number(timestamp),
      headers,
      key: take(Number(keyLength)),
      value: take(Number(valueLength)),
    })
    rest = rest.slice(1)
  }
  return records
}

/** Consumes (by default: everything there is) and returns the records. */
export const consume = async ({ address }, topic, args = ['-e']) =>
  parse(await kcat(address, ['-C', '-q', '-t', topic, ...format, ...args]))

const inGroup = (group, topics, args) => [
  '-q',
  '-X',
  'auto.offset.reset=earliest',
  '-X',
  'heartbeat.interval.ms=200',
  ...format,
  ...args,
  '-G',
  group,
  ...topics,
]

/** Consumes as the one member of a group until the end of every partition. */
export const consumeInGroup = async ({ address }, group, topics, args = ['-e']) =>
  parse(await kcat(address, inGroup(group, topics, args)))

/**
 * Consumes as several members of a group until they have seen `recordCount` records together; then they leave. With -e they
 * would not do: kcat counts ends of partitions that it has lost, and so leaves too early or never.
 */
export async function consumeAsMembers({ address }, { group, topic, memberCount, recordCount, args = [] }) {
  const leave = new AbortController()
  const lines = new Set()
  const onLine = line => {
    // A line with its partition and offset, and one with its bytes.
    if (lines.add(line).size === 2 * recordCount) leave.abort()
  }
  const options = {
    timeoutMs: 60_000,
    encoding: 'latin1',
    onLine,
    signal: leave.signal,
    killSignal: 'SIGTERM',
  }
  const consume = () => run('kcat', ['-b', address, '-u', ...inGroup(group, [topic], args)], options)
  const shares = await Promise.all(Array.from({ length: memberCount }, consume))
  for (const { timedOut, stderr } of shares) assert.ok(!timedOut, `not all records came: ${stderr}`)
  return shares.flatMap(({ stdout }) => parse(stdout))
}

/** Creates a topic of a fresh name; kcat cannot, so kafkajs does. */
export async function createTopic({ address }, label, { numPartitions = 1, configEntries = [] } = {}) {
  const topic = unique(`kcat-${label}`)
  const admin = client(address).admin()
  await admin.connect()
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
  })
  await awaitLeaders(admin, topic, numPartitions)
  await admin.disconnect()
  return topic
}
