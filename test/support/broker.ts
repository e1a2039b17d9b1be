import { expect, onTestFinished } from 'vitest'
import { createBroker, type Broker, type BrokerOptions } from '../../src/index.ts'
import type { Logger } from '../../src/base/logger.ts'
import { WireClient } from './wire-client.ts'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly facts: object
}

export interface TestBroker {
  readonly broker: Broker
  readonly address: string
  /** What it has logged so far. */
  readonly lines: readonly LogLine[]
  /** Audits and closes the broker now, so that another can be started on its disk. */
  stop(): Promise<void>
}

/** A broker for one test: in memory unless told otherwise, on a free port, audited and closed as the test ends. */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const lines: LogLine[] = []
  const broker = await createBroker({ logger: collector(lines), ...options })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= auditAndClose(broker))
  onTestFinished(stop)
  return { broker, address: broker.address, lines, stop }
}

async function auditAndClose(broker: Broker): Promise<void> {
  const faults = await broker.audit()
  await broker.close()
  expect(broker.bugs).toEqual([])
  expect(faults).toEqual([])
}

/** A connection that is closed as the test ends. */
export async function connect(address: string): Promise<WireClient> {
  const client = await WireClient.connect(address)
  onTestFinished(() => client.close())
  return client
}

/**
 * For what every Kafka broker must do: a connection to the one that `KAFKA_BOOTSTRAP` names, Apache Kafka say, or else to one
 * of our own.
 */
export async function connectToBroker(): Promise<WireClient> {
  return connect(process.env['KAFKA_BOOTSTRAP'] ?? (await startBroker()).address)
}

function collector(lines: LogLine[]): Logger {
  const at =
    (level: keyof Logger) =>
    (facts: object, message: string): void =>
      void lines.push({ level, message, facts })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') }
}
