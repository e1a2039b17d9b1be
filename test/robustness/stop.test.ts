import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { connect } from '../support/broker.ts'
import { BrokerProcess } from '../support/crash-child.ts'
import { chooseSeed } from '../support/seed.ts'
import { batchOf, fetchOf, latest, makeTopic } from '../support/requests.ts'
import { ConnectionLostError, produceBatch } from '../support/workload-calls.ts'
import { Workload } from '../support/workload.ts'

/** A broker in a process of its own, and how to start it again on its data and its port. */
async function startProcess(
  ...args: readonly string[]
): Promise<{ broker: BrokerProcess; address: string; restart: () => Promise<BrokerProcess> }> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-stop-'))
  const processes: BrokerProcess[] = []
  const start = (port: string): BrokerProcess => {
    const broker = new BrokerProcess(
      '--data',
      join(folder, 'data'),
      '--port',
      port,
      '--log-level',
      'warn',
      ...args,
    )
    processes.push(broker)
    return broker
  }
  onTestFinished(async () => {
    await Promise.all(processes.map(broker => broker.kill()))
    await rm(folder, { recursive: true })
  })
  const broker = start('0')
  const address = await broker.ready
  const restart = async (): Promise<BrokerProcess> => {
    const next = start(address.split(':')[1]!)
    await next.ready
    return next
  }
  return { broker, address, restart }
}

const inGoodOrder = { code: 0, signal: null }

test('SIGTERM under load ends the broker in good order, and everybody goes on after it', async () => {
  const { broker, address, restart } = await startProcess()
  const workload = new Workload(address, chooseSeed('STOP_SEED'))
  await workload.start()
  while (workload.acknowledgedCount < 200) await sleep(5)
  expect(await broker.stop()).toEqual(inGoodOrder)
  expect(broker.complaints).toEqual([])
  const next = await restart()
  expect((await workload.verify()).problems).toEqual([])
  const before = workload.acknowledgedCount
  while (workload.acknowledgedCount < before + 200) await sleep(5)
  await workload.stop()
  expect((await workload.verify()).problems).toEqual([])
  expect(workload.failures).toEqual([])
  expect(await next.stop()).toEqual(inGoodOrder)
})

test('what SIGTERM finds accepted is committed and answered, and nothing else is written', async () => {
  const { broker, address, restart } = await startProcess()
  const client = await connect(address)
  const { name: topic } = await makeTopic(client)
  const answers: Promise<'answered' | 'lost'>[] = []
  const connection = { isOpen: true }
  void client.closed.then(() => void (connection.isOpen = false))
  const write = (): Promise<'answered' | 'lost'> =>
    produceBatch(client, { topic, partition: 0 }, -1, batchOf(['x'.repeat(1000)])).then(
      () => 'answered' as const,
      error => {
        if (!(error instanceof ConnectionLostError)) throw error
        return 'lost' as const
      },
    )
  const writing = (async () => {
    while (connection.isOpen) {
      for (let count = 0; count < 5; count++) answers.push(write())
      await sleep(1)
    }
  })()
  while (answers.length < 100) await sleep(1)
  expect(await broker.stop()).toEqual(inGoodOrder)
  await writing
  const outcomes = await Promise.all(answers)
  const answered = outcomes.filter(outcome => outcome === 'answered').length
  expect(answered).toBeGreaterThan(0)
  await restart()
  const end = await latest(await connect(address), topic)
  expect(end.offset).toBe(BigInt(answered))
})

test('who waits when SIGTERM comes is told', async () => {
  const { broker, address } = await startProcess('--set', 'group.initial.rebalance.delay.ms=600000')
  const [member, reader] = [await connect(address), await connect(address)]
  const topic = await makeTopic(reader)
  const joined = member.call(joinGroup, 3, {
    groupId: 'group',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 600_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  const fetched = reader.call(fetch, 17, fetchOf(topic, [{}], { maxWaitMs: 600_000 }))
  await sleep(100)
  const ended = broker.stop()
  expect((await joined).errorCode).toBe(errorCodes.NOT_COORDINATOR)
  expect((await fetched).responses[0]!.partitions[0]!.errorCode).toBe(errorCodes.NONE)
  expect(await ended).toEqual(inGoodOrder)
})
