import { createServer, type Server as NetServer, type Socket } from 'node:net'
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

/** The sockets of a broker; the only door to `node:net`. */
export class Server {
  readonly #services: Services
  readonly #requestLengthMax: number
  readonly #servers: NetServer[] = []
  readonly #connections = new Set<Connection>()
  #connectionIdNext = 1

  /** `requestLengthMax`: Kafka's `socket.request.max.bytes`. */
  constructor(services: Services, requestLengthMax: number) {
    this.#services = services
    this.#requestLengthMax = requestLengthMax
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Opens one listener and returns its port. Rejects with the system's error, EADDRINUSE say. */
  listen(binding: Binding): Promise<number> {
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, socket =>
      this.#accept(socket, binding.name),
    )
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: binding.host, port: binding.port, backlog: 511 }, () => {
        server.off('error', reject)
        server.on('error', error => this.#services.logger.error({ err: error }, 'a listener failed'))
        resolve((server.address() as { port: number }).port)
      })
    })
  }

  #accept(accepted: Socket, listener: string): void {
    const { logger, slabs } = this.#services
    const info = { id: this.#connectionIdNext++, listener, clientHost: accepted.remoteAddress ?? 'unknown' }
    const socket = lendReads(accepted, chunk => connection.read(chunk))
    const connection = new Connection(
      socket,
      info,
      this.#services,
      new FrameReader(slabs, this.#requestLengthMax),
    )
    this.#connections.add(connection)
    logger.debug({ connection: info.id, client: info.clientHost, listener }, 'connected')
    socket.on('close', () => this.#connections.delete(connection))
  }

  /** Takes no more connections and no more requests. What was taken in goes on being answered. */
  stopAccepting(): void {
    for (const server of this.#servers) server.close()
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
