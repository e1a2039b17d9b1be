/**
 * odradek's public door: a Kafka broker in this process.
 *
 * ```ts
 * const broker = await createBroker()
 * const kafka = new Kafka({ brokers: [broker.address] })
 * await broker.close()
 * ```
 */
import { Broker } from './broker/broker.ts'
import { resolveOptions, type BrokerOptions } from './options.ts'

export type { Broker } from './broker/broker.ts'
export type { BrokerOptions } from './options.ts'
export { ConfigError } from './broker/configs/definition.ts'

/**
 * Starts a broker. Without options it listens on a free port of 127.0.0.1 and keeps everything in memory; with `data` it
 * acknowledges nothing that is not on disk there. Rejects with ConfigError on options that make no sense, with the
 * storage's typed errors, or with the system's (EADDRINUSE and its likes).
 */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  return Broker.start(resolveOptions(options))
}
