import type { Random } from '../../src/base/random.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft, Message, Of } from '../../src/protocol/schema.ts'
import { WireClient, type Table } from '../support/wire-client.ts'
import type { Life } from './scheduler.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import { InvariantError } from './hold.ts'
import type { TopicLedger } from './topic-ledger.ts'

/** The connection ended before the answer came: whether the request was served is not known. */
export class LostError extends Error {
  override readonly name = 'LostError'
}

/** What a simulated client works with. */
export class World {
  readonly random: Random
  readonly topics: TopicLedger
  /** The clients' time. */
  readonly life: Life
  readonly #network: SimulatedNetwork
  /** Where the broker listens now. */
  port = 0
  /** While promises are being checked nobody but the checker speaks to the broker. */
  isClosed = true
  /** No further request is begun. */
  isOver = false
  /** Answers of any kind, by API and error, for the closing summary. */
  readonly answers = new Map<string, number>()

  constructor(parts: { random: Random; topics: TopicLedger; life: Life; network: SimulatedNetwork }) {
    this.random = parts.random
    this.topics = parts.topics
    this.life = parts.life
    this.#network = parts.network
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise(resolve => void this.life.after(durationMs, resolve))
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.random.below(Math.max(1, list.length))]
  }

  /** A connection to the broker as soon as there is one; undefined when everything is over. */
  async connect(): Promise<Caller | undefined> {
    while (!this.isOver) {
      if (!this.isClosed) {
        const caller = await this.dial().catch(() => undefined)
        if (caller) return caller
      }
      await this.sleep(20 + this.random.below(100))
    }
    return undefined
  }

  /** A connection now. */
  async dial(): Promise<Caller> {
    return new Caller(this, WireClient.over(await this.#network.connect(this.port)))
  }

  count(api: string, errorCode: number): void {
    const key = `${api} ${errorName(errorCode)}`
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1)
  }
}

/** A connection that may be lost at any time. */
export class Caller {
  readonly #world: World
  readonly #client: WireClient
  isLost = false

  constructor(world: World, client: WireClient) {
    this.#world = world
    this.#client = client
    void client.closed.then(() => (this.isLost = true))
  }

  /** Asks; rejects with LostError when the connection ends before the answer. */
  async call<Request extends Message, Response extends Message>(
    api: Table<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): Promise<Of<Response>> {
    if (this.isLost || this.#world.isOver) throw new LostError('the connection is closed')
    return this.#client.call(api, version, request).catch((error: Error) => {
      throw error.message === 'the connection was closed'
        ? new LostError(error.message)
        : new InvariantError(`API ${api.key}: ${error.message}`)
    })
  }

  /** Asks for what is not answered. */
  post<Request extends Message, Response extends Message>(
    api: Table<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): void {
    if (this.isLost) throw new LostError('the connection is closed')
    this.#client.post(api, version, request)
  }

  close(): void {
    void this.#client.close()
  }
}

/** One kind of client. Modules in `clients/` make them; the simulator runs as many as it likes. */
export interface ClientModule {
  readonly name: string
  /** Makes one client; `index` tells those of a kind apart. */
  make(world: World, index: number): SimulatedClient
}

export interface SimulatedClient {
  /** Works until the world is over. Rejects with InvariantError where a promise is broken. */
  run(): Promise<void>
  /** Holds what the broker says after a restart, or at the end, against what this client was promised. */
  verify?(caller: Caller): Promise<void>
}

/** Runs `session` over one connection after another until the world is over. */
export async function overConnections(
  world: World,
  session: (caller: Caller) => Promise<void>,
): Promise<void> {
  for (;;) {
    const caller = await world.connect()
    if (!caller) return
    try {
      await session(caller)
    } catch (error) {
      if (!(error instanceof LostError)) throw error
    } finally {
      caller.close()
    }
  }
}
