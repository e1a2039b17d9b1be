import { createServer, type Socket } from 'node:net'
import type { Cancel } from '../base/clock.ts'
import type { Arrival, Listening, Network } from '../base/network.ts'
import { Connection } from './connection.ts'
import type { Services } from './context.ts'
import { FrameReader } from './frames.ts'
import { lendReads } from './lent-reads.ts'

/** Where to listen. Port 0 takes a free one. */
export interface Binding {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** This machine's own; the only door to `node:net`. */
export const systemNetwork: Network = {
  listen(address, accept, failed) {
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, socket =>
      accept({
        clientHost: addressOf(socket),
        open: reader => lendReads(socket, reader),
      }),
    )
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port, backlog: 511 }, () => {
        server.off('error', reject)
        server.on('error', failed)
        const { port } = server.address() as { port: number }
        resolve({ port, close: () => void server.close() })
      })
    })
  },
}

/** A socket that takes both families shows an IPv4 client as an IPv6 one; Kafka names it by its own address. */
function addressOf({ remoteAddress }: Socket): string {
  return remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '') ?? 'unknown'
}

/** The listeners of a broker and their connections. */
export class Server {
  readonly #services: Services
  readonly #network: Network
  readonly #requestLengthMax: number
  readonly #listening: Listening[] = []
  readonly #connections = new Set<Connection>()
  #connectionIdNext = 1
  #stopWatching: Cancel = () => {}

  constructor(services: Services, network: Network) {
    this.#services = services
    this.#network = network
    this.#requestLengthMax = services.settings.get('socket.request.max.bytes')
    this.#watchIdle(services.settings.get('connections.max.idle.ms'))
  }

  #watchIdle(idleMsMax: number): void {
    if (idleMsMax < 0) return
    const look = (): void => {
      for (const connection of this.#connections) connection.endIfIdle(idleMsMax)
      this.#stopWatching = this.#services.clock.after(Math.max(idleMsMax / 4, idleLookMsMin), look)
    }
    look()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Opens one listener and returns its port. Rejects with the system's error, EADDRINUSE say. */
  async listen(binding: Binding): Promise<number> {
    const listening = await this.#network.listen(
      binding,
      arrival => this.#accept(arrival, binding.name),
      error => this.#services.logger.error({ err: error }, 'a listener failed'),
    )
    this.#listening.push(listening)
    return listening.port
  }

  #accept(arrival: Arrival, listener: string): void {
    const { logger, slabs, requestMemory } = this.#services
    const info = { id: this.#connectionIdNext++, listener, clientHost: arrival.clientHost }
    const frames = new FrameReader(slabs, requestMemory, this.#requestLengthMax)
    const socket = arrival.open({
      room: () => frames.room(),
      fill: length => connection.fill(length),
      take: chunk => connection.take(chunk),
    })
    const connection = new Connection(socket, info, this.#services, frames)
    this.#connections.add(connection)
    logger.debug({ connection: info.id, client: info.clientHost, listener }, 'connected')
    socket.on('close', () => this.#connections.delete(connection))
  }

  /** Takes no more connections and no more requests. What was taken in goes on being answered. */
  stopAccepting(): void {
    this.#stopWatching()
    for (const listening of this.#listening) listening.close()
    for (const connection of this.#connections) connection.end()
  }

  /** Stops, and resolves when every connection is closed: at once if it is idle, else when its answers have left. */
  async stop(): Promise<void> {
    this.stopAccepting()
    const { clock } = this.#services
    const cancel = clock.after(graceMs, () => {
      for (const connection of this.#connections) connection.destroy()
    })
    await Promise.all([...this.#connections].map(({ gone }) => gone))
    cancel()
  }
}

/** How long answers under way may take to leave after the broker was told to stop. */
const graceMs = 1000
/** Idle connections are looked for no more often. */
const idleLookMsMin = 100
