import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { apiVersions } from '../../src/broker/apis/18-api-versions.ts'
import { produce } from '../../src/broker/apis/00-produce.ts'
import { decode } from '../../src/protocol/compile.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { ApiVersionsResponse } from '../../src/protocol/messages/18-api-versions.ts'
import { field, seal } from '../../src/protocol/records/batch.ts'
import type { BrokerOptions } from '../../src/index.ts'
import { connect, startBroker, type TestBroker } from '../support/broker.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { memoryInUse } from '../support/fuzz.ts'
import {
  batchOf,
  fetchFrom,
  fetchOf,
  makeTopic,
  produceOf,
  produceTo,
  recordsIn,
} from '../support/requests.ts'
import { encodeRequest, WireClient } from '../support/wire-client.ts'
import { Canary } from '../support/workload-canary.ts'

const mebibyte = 1024 * 1024

interface Scene extends TestBroker {
  readonly canary: Canary
  readonly slabs: Slabs
}

/** A broker with a canary at work on other connections, who fails the test when anything happens to it. */
async function startScene(options: BrokerOptions = {}): Promise<Scene> {
  const take = vi.spyOn(Slabs.prototype, 'take')
  const broker = await startBroker(options)
  const canary = await Canary.start(broker.address)
  onTestFinished(() => canary.stop())
  await canary.sing()
  const [slabs] = take.mock.contexts
  take.mockRestore()
  return { ...broker, canary, slabs: slabs as Slabs }
}

/** Why connections were closed, as the log has it. */
function refusals({ lines }: TestBroker): string[] {
  return lines.filter(({ level }) => level !== 'debug' && level !== 'info').map(({ message }) => message)
}

const allTopics = { topics: null, allowAutoTopicCreation: false }
const metadataFrame = encodeRequest(metadata, 9, 7, allTopics)

/** A length and nothing behind it that would be of that length. */
function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.writeInt32BE(length)
  return bytes
}

/** A request that is all header: correlation id 77, no client id. */
function head(key: number, version: number): Buffer {
  const bytes = Buffer.alloc(14)
  bytes.writeInt32BE(10, 0)
  bytes.writeInt16BE(key, 4)
  bytes.writeInt16BE(version, 6)
  bytes.writeInt32BE(77, 8)
  bytes.writeInt16BE(-1, 12)
  return bytes
}

/** A Metadata request whose frame has this length. */
function padded(length: number): Buffer {
  const empty = encodeRequest(metadata, 9, 7, { topics: [{ name: '' }] })
  // A longer name takes one more byte for its length.
  const name = 'x'.repeat(length - (empty.length - 4) - 1)
  return encodeRequest(metadata, 9, 7, { topics: [{ name }], allowAutoTopicCreation: false })
}

/** A batch of three records with something wrong in it. */
function changed(change: (batch: Buffer) => void): Buffer {
  const batch = batchOf(['a', 'b', 'c'])
  change(batch)
  return batch
}

/** The same with a checksum that fits. */
function sealed(change: (batch: Buffer) => void): Buffer {
  return changed(batch => {
    change(batch)
    seal(batch, 0, batch.length)
  })
}

describe('what is not the protocol', () => {
  const random = seededRandom(7)
  const greetings: [string, Buffer, RegExp][] = [
    ['a TLS handshake', Buffer.from('16030102000100', 'hex'), /TLS handshake/],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), /HTTP request/],
    ['an SSH greeting', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), /SSH/],
    ['a negative length', lengthOf(-1), /frame length of -1/],
    ['the least length', lengthOf(-(2 ** 31)), /frame length of -2147483648/],
    ['a length of zero', lengthOf(0), /frame length of 0/],
    ['the greatest length', lengthOf(2 ** 31 - 1), /2147483647 bytes; socket.request.max.bytes is 104857600/],
    ['one byte more than allowed', lengthOf(100 * mebibyte + 1), /104857601 bytes/],
    ['noise', Buffer.concat([Buffer.from([0xff]), random.bytes(4096)]), /frame length/],
    ['noise in a frame', Buffer.concat([lengthOf(4092).subarray(0, 4), Buffer.alloc(4092, 0xa5)]), /API key/],
    ['a frame of one byte', Buffer.from('0000000100', 'hex'), /API key -1/],
    ['a header cut short', Buffer.from('0000000400030009', 'hex'), /wanted at/],
  ]
  test.each(greetings)('costs its own connection and is named in the log: %s', async (_, bytes, reason) => {
    const scene = await startScene()
    const client = await connect(scene.address)
    client.sendRaw(bytes)
    await client.closed
    await scene.canary.sing()
    expect(refusals(scene)).toEqual([expect.stringMatching(reason)])
  })
})

describe('requests in pieces', () => {
  test('are answered wherever they are cut', async () => {
    const { address, canary } = await startScene()
    for (let at = 1; at < metadataFrame.length; at++) {
      const client = await connect(address)
      client.sendRaw(metadataFrame.subarray(0, at))
      await sleep(1)
      client.sendRaw(metadataFrame.subarray(at))
      expect((await client.nextFrame()).readInt32BE(0)).toBe(7)
      await client.close()
    }
    await canary.sing()
  })

  test('are forgotten when their sender leaves, wherever they are cut', async () => {
    const scene = await startScene()
    for (let at = 1; at < metadataFrame.length; at++) {
      const client = await connect(scene.address)
      client.sendRaw(metadataFrame.subarray(0, at))
      await client.close()
    }
    await scene.canary.sing()
    expect(refusals(scene)).toEqual([])
  })

  test('are answered when they come byte by byte', async () => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    const topic = await makeTopic(client)
    const records = batchOf(['one', 'two'.repeat(200)])
    const frame = encodeRequest(produce, 13, 9, produceOf(topic, records))
    for (const byte of frame) {
      client.sendRaw(Buffer.of(byte))
      await new Promise(resolve => void setImmediate(resolve))
    }
    expect((await client.nextFrame()).readInt32BE(0)).toBe(9)
    expect(recordsIn(await fetchFrom(client, topic))).toEqual(['0:one', `1:${'two'.repeat(200)}`])
    await canary.sing()
  })

  test('are answered in order when many come in one chunk', async () => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    const frames = Array.from({ length: 200 }, (_, index) => encodeRequest(metadata, 9, index, allTopics))
    const answers = frames.map(() => client.nextFrame())
    client.sendRaw(Buffer.concat(frames))
    for (const [index, answer] of answers.entries()) expect((await answer).readInt32BE(0)).toBe(index)
    await canary.sing()
  })
})

describe('what is not served', () => {
  test.each([
    [999, 0, /API key 999 is not served/],
    [-1, 0, /API key -1/],
    [32767, 0, /API key 32767/],
    [3, 99, /Metadata version 99 is not served/],
    [3, -1, /Metadata version -1/],
    [3, 32767, /Metadata version 32767/],
    [0, 2, /Produce version 2/],
    [1, 3, /Fetch version 3/],
  ])('closes the connection: API key %i in version %i', async (key, version, reason) => {
    const scene = await startScene()
    const client = await connect(scene.address)
    client.sendRaw(head(key, version))
    await client.closed
    await scene.canary.sing()
    expect(refusals(scene)).toEqual([expect.stringMatching(reason)])
  })

  test.each([5, 99, 32767, -1])('answers ApiVersions version %i in version 0 and goes on', async version => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    client.sendRaw(head(apiVersions.key, version))
    const frame = await client.nextFrame()
    expect(frame.readInt32BE(0)).toBe(77)
    const answer = decode(ApiVersionsResponse, 0, frame.subarray(4))
    expect(answer.errorCode).toBe(errorCodes.UNSUPPORTED_VERSION)
    expect(answer.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
    expect((await client.call(apiVersions, 0, {})).errorCode).toBe(errorCodes.NONE)
    await canary.sing()
  })

  test('overlooks bytes behind a request, as Kafka does for librdkafka', async () => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    const frame = Buffer.concat([metadataFrame, Buffer.from([1, 2, 3])])
    frame.writeInt32BE(frame.length - 4)
    client.sendRaw(frame)
    expect((await client.nextFrame()).readInt32BE(0)).toBe(metadataFrame.readInt32BE(8))
    await canary.sing()
  })
})

describe('records that are refused', () => {
  const cases: [string, Buffer | null, string][] = [
    [
      'a wrong checksum',
      changed(batch => batch.writeUInt8(batch.at(-1)! ^ 1, batch.length - 1)),
      'CORRUPT_MESSAGE',
    ],
    [
      'more records than counted',
      sealed(batch => batch.writeInt32BE(2, field.recordCount)),
      'INVALID_RECORD',
    ],
    [
      'fewer records than counted',
      sealed(batch => batch.writeInt32BE(4, field.recordCount)),
      'INVALID_RECORD',
    ],
    ['no records', sealed(batch => batch.writeInt32BE(0, field.recordCount)), 'INVALID_RECORD'],
    ['a negative count', sealed(batch => batch.writeInt32BE(-3, field.recordCount)), 'INVALID_RECORD'],
    [
      'a last offset that is not its records',
      sealed(batch => batch.writeInt32BE(7, field.lastOffsetDelta)),
      'INVALID_RECORD',
    ],
    ['a control batch', sealed(batch => batch.writeInt16BE(0x20, field.attributes)), 'INVALID_RECORD'],
    ['an unknown magic', changed(batch => batch.writeInt8(9, field.magic)), 'CORRUPT_MESSAGE'],
    [
      'a length beyond the bytes',
      changed(batch => batch.writeInt32BE(2 ** 30, field.batchLength)),
      'INVALID_RECORD',
    ],
    ['a length of nothing', changed(batch => batch.writeInt32BE(0, field.batchLength)), 'CORRUPT_MESSAGE'],
    ['two batches', Buffer.concat([batchOf(['a']), batchOf(['b'])]), 'INVALID_RECORD'],
    ['null', null, 'INVALID_RECORD'],
    ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
    ['more than max.message.bytes', batchOf(['x'.repeat(mebibyte + 1024)]), 'MESSAGE_TOO_LARGE'],
  ]
  test.each(cases)('have their own error, and the connection goes on: %s', async (_, records, error) => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    const topic = await makeTopic(client)
    const { errorCode, baseOffset } = await produceTo(client, topic, records)
    expect(errorName(errorCode)).toBe(error)
    expect(baseOffset).toBe(-1n)
    expect((await produceTo(client, topic, batchOf(['good']))).baseOffset).toBe(0n)
    expect(recordsIn(await fetchFrom(client, topic))).toEqual(['0:good'])
    await canary.sing()
  })

  test('close the connection when nobody waits for an answer', async () => {
    const scene = await startScene()
    const client = await connect(scene.address)
    const topic = await makeTopic(client)
    client.post(produce, 13, produceOf(topic, cases[0]![1], { acks: 0 }))
    await client.closed
    await scene.canary.sing()
    expect(refusals(scene)).toEqual([expect.stringMatching(/refused: CORRUPT_MESSAGE/)])
  })
})

test('a frame above socket.request.max.bytes closes the connection, one of that size is served', async () => {
  const scene = await startScene({ settings: { 'socket.request.max.bytes': 4096 } })
  const client = await connect(scene.address)
  client.sendRaw(padded(4096))
  expect((await client.nextFrame()).readInt32BE(0)).toBe(7)
  client.sendRaw(padded(4097))
  await client.closed
  await scene.canary.sing()
  expect(refusals(scene)).toEqual([expect.stringMatching(/4097 bytes; socket.request.max.bytes is 4096/)])
})

/** A socket without a reader. */
async function openSocket(address: string, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const [host, port] = address.split(':')
  const socket = createConnection({ host: host!, port: Number(port), ...options })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe('connections that do nothing good', () => {
  test('hold bounded memory when they never read their answers', async () => {
    const { address, canary, slabs } = await startScene()
    const client = await connect(address)
    const topic = await makeTopic(client)
    // Answers below 64 KiB are copied, so that they are held once for each that asks.
    await produceTo(client, topic, batchOf(['x'.repeat(60_000)]))
    const before = memoryInUse()
    const taken = slabs.takenLength
    const requests = Buffer.concat(
      Array.from({ length: 2000 }, (_, index) => encodeRequest(fetch, 17, index, fetchOf(topic))),
    )
    for (let index = 0; index < 20; index++) (await openSocket(address)).pause().write(requests)
    for (let times = 0; times < 20; times++) await canary.sing()
    // 20 × 2000 × 60 KB would be 2.4 GB.
    expect(memoryInUse() - before).toBeLessThan(200 * mebibyte)
    expect(slabs.takenLength - taken).toBeLessThan(64 * mebibyte)
  })

  test('are not read from while a request waits for a produce before it', async () => {
    const disk = new FaultyDisk()
    const { address } = await startBroker({ data: 'anywhere', disk })
    const client = await connect(address)
    const topic = await makeTopic(client)
    const gate = new AbortController()
    disk.before = async operation => {
      if (operation === 'sync' && !gate.signal.aborted) await once(gate.signal, 'abort')
    }
    const socket = await openSocket(address)
    socket.resume()
    socket.write(encodeRequest(produce, 13, 1, produceOf(topic, batchOf(['slow']))))
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => metadataFrame))
    for (let written = 0; written < 32 * mebibyte; written += flood.length) socket.write(flood)
    for (let before = -1; before !== socket.writableLength; await sleep(200)) before = socket.writableLength
    expect(socket.writableLength).toBeGreaterThan(16 * mebibyte)
    socket.destroy()
    gate.abort()
  })

  test('take no memory for 100 MB that they announce and do not send', async () => {
    const { address, canary, slabs } = await startScene()
    const before = memoryInUse()
    const taken = slabs.takenLength
    const announcement = Buffer.alloc(20)
    announcement.writeInt32BE(100 * mebibyte)
    for (let index = 0; index < 200; index++) (await openSocket(address)).write(announcement)
    await canary.sing()
    expect(memoryInUse() - before).toBeLessThan(20 * mebibyte)
    expect(slabs.takenLength - taken).toBeLessThan(4 * mebibyte)
  })

  test('harm nobody when thousands come and go', async () => {
    const scene = await startScene()
    const before = memoryInUse()
    for (let round = 0; round < 20; round++) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(scene.address)))
      for (const [index, socket] of sockets.entries()) {
        if (index % 2 === 0) socket.write(metadataFrame)
        if (index % 3 === 0) socket.resetAndDestroy()
        else socket.destroy()
      }
      await Promise.all(sockets.map(socket => socket.closed || once(socket, 'close')))
    }
    await scene.canary.sing()
    expect(refusals(scene)).toEqual([])
    expect(memoryInUse() - before).toBeLessThan(30 * mebibyte)
  })

  test('are closed when they close their half, with a fetch waiting', async () => {
    const { address, canary } = await startScene()
    const client = await connect(address)
    const topic = await makeTopic(client)
    const socket = await openSocket(address, { allowHalfOpen: true })
    socket.resume()
    socket.write(encodeRequest(fetch, 17, 1, fetchOf(topic, [{}], { maxWaitMs: 2 ** 31 - 1 })))
    await canary.sing()
    socket.end()
    await once(socket, 'end')
    await canary.sing()
  })

  test('may idle, and are served when they wake', async () => {
    const { address, canary } = await startScene()
    const clients = await Promise.all(Array.from({ length: 300 }, () => WireClient.connect(address)))
    await canary.sing()
    for (const client of clients) {
      expect((await client.call(apiVersions, 0, {})).errorCode).toBe(errorCodes.NONE)
      await client.close()
    }
    await canary.sing()
  })
})

test('a huge count of tiny elements is bounded before anything is made of it', async () => {
  const { address, canary } = await startScene()
  const client = await connect(address)
  // A Metadata request whose topics are two bytes each, an empty name and no tags.
  const count = 5_000_000
  const header = encodeRequest(metadata, 9, 7, { topics: [] }).subarray(0, -5)
  const topics = Buffer.alloc(2 * count)
  for (let at = 0; at < topics.length; at += 2) topics[at] = 1
  const varint: number[] = []
  for (let rest = count + 1; rest > 0; rest >>>= 7) varint.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
  const frame = Buffer.concat([header, Buffer.from(varint), topics, Buffer.from([1, 0, 0, 0])])
  frame.writeInt32BE(frame.length - 4)
  const before = memoryInUse()
  client.sendRaw(frame)
  await client.closed
  await canary.sing()
  expect(memoryInUse() - before).toBeLessThan(50 * mebibyte)
})
