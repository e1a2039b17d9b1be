import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import type { Api } from '../../src/broker/api.ts'
import { apis } from '../../src/broker/apis/index.ts'
import { encode } from '../../src/protocol/compile.ts'
import { RequestHeader } from '../../src/protocol/header.ts'
import { includes, versions } from '../../src/protocol/schema.ts'
import { startBroker } from '../support/broker.ts'
import { memoryInUse, mutate, pick } from '../support/fuzz.ts'
import { chooseSeed } from '../support/seed.ts'
import { drawMessage } from '../support/fuzz-values.ts'
import { goldenRows } from '../support/golden.ts'
import { Canary } from '../support/workload-canary.ts'

const mebibyte = 1024 * 1024
const requestCount = 10_000
const laneCount = 8
/** Produce, Fetch, JoinGroup and SyncGroup: they may rightly have no answer, or not yet. */
const patientKeys = new Set([0, 1, 11, 14])
/** How long to wait for those, and for all others. */
const patienceMs = { patient: 20, others: 10_000 }

interface Row {
  key: number
  version: number
  kind: string
  hex: string
}

const bodies = new Map<number, Row[]>(apis.map(({ key }) => [key, []]))
for (const row of goldenRows<Row>('messages.jsonl'))
  if (row.kind === 'request') bodies.get(row.key)?.push(row)

type Make = (api: Api, random: Random) => { version: number; body: Buffer }

function anyVersion(api: Api, random: Random): number {
  const first = Math.max(versions(api.versions).first, api.request.versions.first)
  return first + random.below(versions(api.versions).last - first + 1)
}

const noise: Make = (api, random) => ({
  version: anyVersion(api, random),
  body: random.bytes(random.below(300)),
})

/** One of Kafka's own requests, damaged, or sent as another version. */
const golden: Make = (api, random) => {
  const { version, hex } = pick(bodies.get(api.key)!, random)
  const body = Buffer.from(hex, 'hex')
  if (random.below(10) === 0) return { version: anyVersion(api, random), body }
  return { version, body: mutate(body, random) }
}

/** A sound request that asks for anything at all. */
const drawn: Make = (api, random) => {
  const version = anyVersion(api, random)
  return { version, body: encode(api.request, version, drawMessage(api.request, version, random)) }
}

interface Request {
  readonly name: string
  readonly frame: Buffer
  readonly mustEnd: boolean
}

/** A request as hostile as `random` makes it. */
function drawRequest(random: Random): Request {
  const api = pick(apis, random)
  const { version, body } = pick([noise, golden, golden, drawn, drawn, drawn], random)(api, random)
  const header = encode(RequestHeader, includes(api.request.flexible, version) ? 2 : 1, {
    requestApiKey: api.key,
    requestApiVersion: version,
    correlationId: 1,
    clientId: 'fuzz',
  })
  const whole = Buffer.concat([header, body])
  const isWhole = random.below(50) > 0
  const framed = isWhole ? whole : mutate(whole, random)
  const length = Buffer.alloc(4)
  length.writeInt32BE(framed.length)
  return {
    name: `${api.name} version ${version}`,
    frame: Buffer.concat([length, framed]),
    mustEnd: isWhole && !patientKeys.has(api.key),
  }
}

/** Sends and waits: for an answer, for the end of the connection, or for long enough. */
function send(socket: Socket, { frame, mustEnd }: Request): Promise<'answered' | 'closed' | 'quiet'> {
  return new Promise(resolve => {
    const end = (outcome: 'answered' | 'closed' | 'quiet') => (): void => {
      clearTimeout(timer)
      socket.removeAllListeners('data').removeAllListeners('close')
      resolve(outcome)
    }
    const timer = setTimeout(end('quiet'), mustEnd ? patienceMs.others : patienceMs.patient)
    socket.once('data', end('answered')).once('close', end('closed'))
    socket.write(frame)
  })
}

test('no request does harm, however it is made', async () => {
  const seed = chooseSeed('FUZZ_SEED')
  const take = vi.spyOn(Slabs.prototype, 'take')
  const { broker, address, lines } = await startBroker({
    settings: { 'auto.create.topics.enable': false, 'offsets.topic.num.partitions': 5 },
  })
  const canary = await Canary.start(address)
  onTestFinished(() => canary.stop())
  await canary.sing()
  const slabs = take.mock.contexts[0] as Slabs
  take.mockRestore()
  const before = { memory: memoryInUse(), taken: slabs.takenLength }

  const [host, port] = address.split(':')
  const outcomes = { answered: 0, closed: 0, quiet: 0 }
  let next = 0
  let bugCount = 0
  const lane = async (): Promise<void> => {
    let socket: Socket | undefined
    while (next < requestCount) {
      const index = next++
      const request = drawRequest(seededRandom(seed + index))
      socket ??= createConnection({ host: host!, port: Number(port) }).on('error', () => {})
      const outcome = await send(socket, request)
      outcomes[outcome]++
      expect(request.mustEnd && outcome === 'quiet', `no answer to ${index}, ${request.name}`).toBe(false)
      if (outcome !== 'answered') {
        socket.destroy()
        socket = undefined
      }
      if (broker.bugs.length > bugCount) {
        bugCount = broker.bugs.length
        console.log(`request ${index}, ${request.name}:`, request.frame.toString('hex', 0, 1000))
      }
    }
    socket?.destroy()
  }
  await Promise.all(Array.from({ length: laneCount }, lane))
  await canary.sing()
  console.log(`${requestCount} requests:`, outcomes)

  expect(broker.bugs).toEqual([])
  const errors = lines.filter(({ level }) => level === 'error' || level === 'fatal')
  expect([...new Set(errors.map(({ message, facts }) => `${message} ${JSON.stringify(facts)}`))]).toEqual([])
  expect(outcomes.answered).toBeGreaterThan(requestCount / 10)
  expect(outcomes.closed).toBeGreaterThan(requestCount / 10)
  await sleep(10)
  expect(slabs.takenLength - before.taken).toBeLessThan(8 * mebibyte)
  expect(memoryInUse() - before.memory).toBeLessThan(40 * mebibyte)
})
