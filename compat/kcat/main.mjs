import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { batchCodecs } from '../batches.mjs'
import { runScenarios, unique } from '../scenarios.mjs'
import { client } from '../kafkajs/kit.mjs'
import {
  consume,
  consumeAsMembers,
  consumeInGroup,
  createTopic,
  kcat,
  kcatFails,
  produceFile,
  produceLines,
} from './kit.mjs'
import { vlsnScenarios } from './vlsn.mjs'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => `${from + index}`)
const valuesOf = records => records.map(({ value }) => value.toString())

function produceConsume(codec) {
  return async context => {
    const topic = await createTopic(context, `codec-${codec}`)
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const values = [everyByte, randomBytes(5_000), Buffer.from('compressible '.repeat(1_000))]
    const compression = codec === 'none' ? [] : ['-z', codec]
    const startedAt = Date.now()
    for (const value of values) {
      await produceFile(context, topic, value, [
        '-k',
        'clé',
        '-H',
        'trace=1',
        '-H',
        'origin=kcat',
        ...compression,
      ])
    }
    // -Z makes empty keys and values null.
    await produceLines(context, topic, ['a:1', 'b:', ':3'], ['-K', ':', '-Z', ...compression])
    // One batch per file, and librdkafka leaves those alone that would not shrink; the lines may come in several.
    const onDisk = await batchCodecs(context.address, topic)
    assert.deepEqual(onDisk.slice(0, 3), ['none', 'none', codec])
    const records = await consume(context, topic)
    assert.deepEqual(
      records.map(({ key, value }) => [key?.toString() ?? null, value]),
      [
        ...values.map(value => ['clé', value]),
        ['a', Buffer.from('1')],
        ['b', null],
        [null, Buffer.from('3')],
      ],
    )
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [0, 1, 2, 3, 4, 5],
    )
    assert.equal(records[0].headers, 'trace=1,origin=kcat')
    assert.equal(records[3].headers, '')
    for (const { timestamp } of records) assert.ok(timestamp >= startedAt && timestamp <= Date.now())
  }
}

function acks(level) {
  return async context => {
    const topic = await createTopic(context, `acks${level}`)
    await produceLines(context, topic, numbers(0, 20), ['-X', `acks=${level}`])
    assert.deepEqual(valuesOf(await consume(context, topic)), numbers(0, 20))
  }
}

async function idempotentProducer(context) {
  const topic = await createTopic(context, 'idempotent')
  await produceLines(context, topic, numbers(0, 5_000), [
    '-X',
    'enable.idempotence=true',
    '-X',
    'linger.ms=0',
  ])
  assert.deepEqual(valuesOf(await consume(context, topic)), numbers(0, 5_000))
}

async function largeMessage(context) {
  const topic = await createTopic(context, 'large')
  const value = randomBytes(999_000)
  for (let index = 0; index < 3; index++) await produceFile(context, topic, value)
  const records = await consume(context, topic)
  assert.equal(records.length, 3)
  for (const record of records) assert.ok(record.value.equals(value), 'the value differs')
}

async function tooLargeMessageRefused(context) {
  const small = await createTopic(context, 'max-bytes', {
    configEntries: [{ name: 'max.message.bytes', value: '10000' }],
  })
  const args = ['-P', '-t', small, '-p', '0']
  await kcatFails(context.address, args, /Message size too large/, { input: 'x'.repeat(11_000) })
  const large = ['-P', '-t', small, '-p', '0', '-X', 'message.max.bytes=4000000']
  await kcatFails(context.address, large, /Message size too large/, { input: 'x'.repeat(1_100_000) })
  await produceLines(context, small, ['x'.repeat(9_000)])
  assert.equal((await consume(context, small)).length, 1)
}

async function manyPartitions(context) {
  const topic = await createTopic(context, 'many', { numPartitions: 24 })
  const keyed = numbers(0, 480).map(number => `${number}:${number}`)
  await kcat(context.address, ['-P', '-t', topic, '-K', ':', '-z', 'lz4'], { input: keyed.join('\n') })
  const records = await consume(context, topic)
  assert.deepEqual(
    valuesOf(records).sort((one, other) => one - other),
    numbers(0, 480),
  )
  assert.equal(new Set(records.map(({ partition }) => partition)).size, 24)
}

async function keyedPartitioner(context) {
  const topic = await createTopic(context, 'keyed', { numPartitions: 8 })
  const keyed = numbers(0, 40).map(number => `key-${number}:${number}`)
  for (let round = 0; round < 2; round++) {
    await kcat(context.address, ['-P', '-t', topic, '-K', ':'], { input: keyed.join('\n') })
  }
  const partitionsOf = new Map()
  for (const { key, partition } of await consume(context, topic)) {
    partitionsOf.set(`${key}`, (partitionsOf.get(`${key}`) ?? new Set()).add(partition))
  }
  assert.equal(partitionsOf.size, 40)
  for (const [key, partitions] of partitionsOf)
    assert.equal(partitions.size, 1, `${key} went to several partitions`)
}

async function autoCreateTopic(context) {
  const topic = unique('kcat-auto')
  await kcat(context.address, ['-P', '-t', topic], { input: 'first' })
  assert.deepEqual(valuesOf(await consume(context, topic)), ['first'])
}

async function longPoll(context) {
  const topic = await createTopic(context, 'long-poll')
  // The wait is longer than kcat may run: only a fetch that wakes up early passes.
  const waiting = consume(context, topic, [
    '-c',
    '1',
    '-X',
    'fetch.wait.max.ms=60000',
    '-X',
    'socket.timeout.ms=90000',
  ])
  await sleep(1_000)
  await produceLines(context, topic, ['wake'])
  assert.deepEqual(valuesOf(await waiting), ['wake'])
}

async function emptyTopic(context) {
  const topic = await createTopic(context, 'empty', { numPartitions: 2 })
  assert.deepEqual(await consume(context, topic), [])
}

async function compactedTopicNeedsKeys(context) {
  const topic = await createTopic(context, 'compacted', {
    configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
  })
  await kcatFails(context.address, ['-P', '-t', topic, '-p', '0'], /failed to validate record/i, {
    input: 'keyless',
  })
  await produceLines(context, topic, ['k:keyed'], ['-K', ':'])
  assert.deepEqual(valuesOf(await consume(context, topic)), ['keyed'])
}

async function seekOffset(context) {
  const topic = await createTopic(context, 'seek')
  await produceLines(context, topic, numbers(0, 50))
  assert.deepEqual(valuesOf(await consume(context, topic, ['-e', '-o', '37'])), numbers(37, 50))
  assert.deepEqual(valuesOf(await consume(context, topic, ['-e', '-o', '-3'])), numbers(47, 50))
  assert.deepEqual(valuesOf(await consume(context, topic, ['-o', 'beginning', '-c', '5'])), numbers(0, 5))
  assert.deepEqual(await consume(context, topic, ['-e', '-o', 'end']), [])
}

async function seekTime(context) {
  const topic = await createTopic(context, 'seek-time')
  const times = []
  for (const value of ['a', 'b', 'c']) {
    times.push(Date.now())
    await produceLines(context, topic, [value])
    await sleep(20)
  }
  const offsetAt = async time => {
    const answer = await kcat(context.address, ['-Q', '-t', `${topic}:0:${time}`])
    return Number(/offset (-?\d+)/.exec(answer)[1])
  }
  assert.equal(await offsetAt(times[0] - 60_000), 0)
  assert.equal(await offsetAt(times[1]), 1)
  assert.equal(await offsetAt(times[2]), 2)
  assert.equal(await offsetAt(Date.now() + 60_000), -1)
  assert.deepEqual(valuesOf(await consume(context, topic, ['-e', '-o', `s@${times[1]}`])), ['b', 'c'])
  assert.deepEqual(
    valuesOf(await consume(context, topic, ['-o', `s@${times[0]}`, '-o', `e@${times[2]}`, '-e'])),
    ['a', 'b'],
  )
}

async function beginningEndOffsets(context) {
  const topic = await createTopic(context, 'bounds')
  await produceLines(context, topic, numbers(0, 5))
  const answer = await kcat(context.address, ['-Q', '-t', `${topic}:0:-1`, '-t', `${topic}:0:-2`])
  assert.match(answer, /offset [05]\b/)
  const ends = await kcat(context.address, ['-Q', '-t', `${topic}:0:-1`])
  const beginnings = await kcat(context.address, ['-Q', '-t', `${topic}:0:-2`])
  assert.match(ends, /offset 5\b/)
  assert.match(beginnings, /offset 0\b/)
}

async function offsetOutOfRange(context) {
  const topic = await createTopic(context, 'out-of-range')
  await produceLines(context, topic, numbers(0, 10))
  const earliest = ['-e', '-o', '1000', '-X', 'topic.auto.offset.reset=earliest']
  assert.deepEqual(valuesOf(await consume(context, topic, earliest)), numbers(0, 10))
  const refused = ['-C', '-q', '-t', topic, '-e', '-o', '1000', '-X', 'topic.auto.offset.reset=error']
  await kcatFails(context.address, refused, /out of range/i)
}

async function commitResume(context) {
  const topic = await createTopic(context, 'resume')
  const group = unique('kcat-resume')
  await produceLines(context, topic, numbers(0, 10))
  assert.deepEqual(valuesOf(await consumeInGroup(context, group, [topic], ['-c', '4'])), numbers(0, 4))
  assert.deepEqual(valuesOf(await consumeInGroup(context, group, [topic])), numbers(4, 10))
  assert.deepEqual(await consumeInGroup(context, group, [topic]), [])
}

async function groupRebalance(context) {
  const topic = await createTopic(context, 'rebalance', { numPartitions: 6 })
  const group = unique('kcat-rebalance')
  const keyed = numbers(0, 300).map(number => `${number}:${number}`)
  await kcat(context.address, ['-P', '-t', topic, '-K', ':'], { input: keyed.join('\n') })
  const members = { group, topic, memberCount: 3, recordCount: 300 }
  // A partition that moves before anything was committed is read twice.
  const seen = new Set(valuesOf(await consumeAsMembers(context, members)))
  assert.deepEqual(
    [...seen].sort((one, other) => one - other),
    numbers(0, 300),
  )
  // What no member could commit any more is read once again.
  await consumeInGroup(context, group, [topic])
  assert.deepEqual(await consumeInGroup(context, group, [topic]), [])
}

async function cooperativeSticky(context) {
  const topic = await createTopic(context, 'cooperative', { numPartitions: 6 })
  const group = unique('kcat-cooperative')
  const keyed = numbers(0, 300).map(number => `${number}:${number}`)
  await kcat(context.address, ['-P', '-t', topic, '-K', ':'], { input: keyed.join('\n') })
  const args = ['-X', 'partition.assignment.strategy=cooperative-sticky']
  const members = { group, topic, memberCount: 2, recordCount: 300, args }
  assert.equal(new Set(valuesOf(await consumeAsMembers(context, members))).size, 300)
}

async function staticMembership(context) {
  const topic = await createTopic(context, 'static')
  const group = unique('kcat-static')
  await produceLines(context, topic, numbers(0, 10))
  const args = ['-X', 'group.instance.id=one', '-c', '4']
  assert.deepEqual(valuesOf(await consumeInGroup(context, group, [topic], args)), numbers(0, 4))
  // The same instance comes back within its session.
  assert.deepEqual(
    valuesOf(await consumeInGroup(context, group, [topic], ['-X', 'group.instance.id=one', '-e'])),
    numbers(4, 10),
  )
}

async function patternSubscription(context) {
  const stem = unique('pattern')
  const first = await createTopic(context, `${stem}-a`)
  const second = await createTopic(context, `${stem}-b`)
  await produceLines(context, first, ['one'])
  await produceLines(context, second, ['two'])
  const records = await consumeInGroup(context, unique('kcat-pattern'), [`^kcat-${stem}-.*`])
  assert.deepEqual(valuesOf(records).sort(), ['one', 'two'])
}

async function adminCluster(context) {
  const topic = await createTopic(context, 'metadata', { numPartitions: 3 })
  const metadata = JSON.parse(await kcat(context.address, ['-L', '-J']))
  assert.deepEqual(
    metadata.brokers.map(({ name }) => name),
    [context.address],
  )
  const { id } = metadata.brokers[0]
  assert.equal(metadata.controllerid, id)
  const { partitions } = metadata.topics.find(entry => entry.topic === topic)
  assert.deepEqual(
    partitions.sort((one, other) => one.partition - other.partition),
    [0, 1, 2].map(partition => ({ partition, leader: id, replicas: [{ id }], isrs: [{ id }] })),
  )
}

async function errorUnknownTopic(context) {
  const args = ['-C', '-q', '-e', '-t', unique('kcat-unknown')]
  await kcatFails(context.address, args, /Unknown topic or partition/)
}

async function errorInvalidTopicName(context) {
  const metadata = JSON.parse(await kcat(context.address, ['-L', '-J', '-t', 'with space']))
  assert.match(metadata.topics[0].error, /Invalid topic/)
}

// kcat writes no transactions itself; kafkajs does, and kcat reads at both levels.
async function openTransactional({ address, defer }) {
  const options = { transactionalId: unique('kcat-transaction'), maxInFlightRequests: 1, idempotent: true }
  const producer = client(address).producer(options)
  await producer.connect()
  defer(() => producer.disconnect())
  return producer
}

const consumeAt = (context, topic, level) => consume(context, topic, ['-e', '-X', `isolation.level=${level}`])

const sendNumbers = (transaction, topic, from, to) =>
  transaction.send({ topic, messages: numbers(from, to).map(value => ({ value, partition: 0 })) })

async function transactionCommit(context) {
  const topic = await createTopic(context, 'transaction-commit')
  const transaction = await (await openTransactional(context)).transaction()
  await sendNumbers(transaction, topic, 0, 10)
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_uncommitted')), numbers(0, 10))
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_committed')), [])
  await transaction.commit()
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_committed')), numbers(0, 10))
}

async function transactionAbort(context) {
  const topic = await createTopic(context, 'transaction-abort')
  const producer = await openTransactional(context)
  for (const from of [0, 10, 20]) {
    const transaction = await producer.transaction()
    await sendNumbers(transaction, topic, from, from + 10)
    await (from === 10 ? transaction.abort() : transaction.commit())
  }
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_uncommitted')), numbers(0, 30))
  const committed = [...numbers(0, 10), ...numbers(20, 30)]
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_committed')), committed)
}

async function transactionInterleaved(context) {
  const topic = await createTopic(context, 'transaction-interleaved')
  const one = await (await openTransactional(context)).transaction()
  const other = await (await openTransactional(context)).transaction()
  await sendNumbers(one, topic, 0, 1)
  await sendNumbers(other, topic, 1, 2)
  await produceLines(context, topic, ['2'])
  await sendNumbers(one, topic, 3, 4)
  await other.commit()
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_committed')), [])
  await one.abort()
  assert.deepEqual(valuesOf(await consumeAt(context, topic, 'read_committed')), ['1', '2'])
}

await runScenarios({
  ...Object.fromEntries(codecs.map(codec => [`produce-consume-${codec}`, produceConsume(codec)])),
  'idempotent-producer': idempotentProducer,
  'acks-0': acks(0),
  'acks-1': acks(1),
  'acks-all': acks('all'),
  'large-message': largeMessage,
  'too-large-message-refused': tooLargeMessageRefused,
  'many-partitions': manyPartitions,
  'keyed-partitioner': keyedPartitioner,
  'auto-create-topic': autoCreateTopic,
  'long-poll': longPoll,
  'empty-topic': emptyTopic,
  'compacted-topic-needs-keys': compactedTopicNeedsKeys,
  'group-rebalance': groupRebalance,
  'cooperative-sticky': cooperativeSticky,
  'static-membership': staticMembership,
  'commit-resume': commitResume,
  'seek-offset': seekOffset,
  'seek-time': seekTime,
  'beginning-end-offsets': beginningEndOffsets,
  'offset-out-of-range': offsetOutOfRange,
  'pattern-subscription': patternSubscription,
  'admin-cluster': adminCluster,
  'transaction-commit': transactionCommit,
  'transaction-abort': transactionAbort,
  'transaction-interleaved': transactionInterleaved,
  'error-unknown-topic': errorUnknownTopic,
  'error-invalid-topic-name': errorInvalidTopicName,
  ...vlsnScenarios,
})
