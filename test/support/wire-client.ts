import { createConnection } from 'node:net'
import { codec } from '../../src/protocol/compile.ts'
import { RequestHeader, ResponseHeader } from '../../src/protocol/header.ts'
import { Reader } from '../../src/protocol/reader.ts'
import { includes, type Draft, type Message, type Of } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'

/** What the client has to know of an API; a room is one. */
export interface Table<Request extends Message, Response extends Message> {
  readonly key: number
  readonly request: Request
  readonly response: Response
}

interface Expected {
  readonly correlationId: number
  take(frame: Buffer): void
  fail(error: Error): void
}

/** What a client uses of a socket. */
export interface ClientSocket {
  once(event: 'close', listener: () => void): unknown
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'error', listener: () => void): unknown
  write(bytes: Buffer): unknown
  destroy(): unknown
}

const apiVersionsKey = 18

/**
 * A connection that speaks the protocol and nothing more: no retries, no sessions, no metadata. Answers must come in the
 * order of the requests, as a Kafka broker gives them; anything else fails the request that was first in line.
 */
export class WireClient {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>
  readonly #socket: ClientSocket
  readonly #expected: Expected[] = []
  #received = Buffer.alloc(0)
  #correlationIdNext = 1

  private constructor(socket: ClientSocket) {
    this.#socket = socket
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        for (const { fail } of this.#expected.splice(0)) fail(new Error('the connection was closed'))
        resolve()
      })
    })
    socket.on('error', () => {})
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#takeFrames()
    })
  }

  /** Connects to `host:port`; without `isReading` it takes nothing that is answered. */
  static connect(address: string, { isReading = true } = {}): Promise<WireClient> {
    const { hostname, port } = new URL(`tcp://${address}`)
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: hostname, port: Number(port), noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new WireClient(socket))
        if (!isReading) socket.pause()
      })
    })
  }

  /** Speaks over a socket that is connected already. */
  static over(socket: ClientSocket): WireClient {
    return new WireClient(socket)
  }

  /** Sends at once and resolves with the answer. Several calls before the first answer are pipelined. */
  call<Request extends Message, Response extends Message>(
    api: Table<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): Promise<Of<Response>> {
    const correlationId = this.post(api, version, request)
    return new Promise((resolve, reject) => {
      const take = (frame: Buffer): void => {
        try {
          resolve(decodeAnswer(api, version, correlationId, frame))
        } catch (error) {
          reject(error as Error)
        }
      }
      this.#expected.push({ correlationId, take, fail: reject })
    })
  }

  /** Sends a request that will not be answered, and returns its correlation id. */
  post<Request extends Message, Response extends Message>(
    api: Table<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): number {
    const correlationId = this.#correlationIdNext++
    this.sendRaw(encodeRequest(api, version, correlationId, request))
    return correlationId
  }

  /** Sends these bytes as they are. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Resolves with the bytes of the next answer, without its length. */
  nextFrame(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#expected.push({ correlationId: -1, take: resolve, fail: reject })
    })
  }

  /** Hangs up without waiting for answers. */
  close(): Promise<void> {
    this.#socket.destroy()
    return this.closed
  }

  #takeFrames(): void {
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const frame = this.#received.subarray(4, end)
      this.#received = this.#received.subarray(end)
      const expected = this.#expected.shift()
      if (!expected) throw new Error(`an answer that nobody asked for: ${frame.toString('hex')}`)
      expected.take(frame)
    }
  }
}

/** The frame of a request, its length included. */
export function encodeRequest<Request extends Message>(
  api: Pick<Table<Request, Message>, 'key' | 'request'>,
  version: number,
  correlationId: number,
  request: Draft<Request>,
): Buffer {
  const writer = new Writer()
  writer.int32(0)
  codec(RequestHeader, includes(api.request.flexible, version) ? 2 : 1).encode(writer, {
    requestApiKey: api.key,
    requestApiVersion: version,
    correlationId,
    clientId: 'wire-client',
  })
  codec(api.request, version).encode(writer, request)
  const frame = writer.join()
  frame.writeInt32BE(frame.length - 4, 0)
  return frame
}

function decodeAnswer<Response extends Message>(
  api: Table<Message, Response>,
  version: number,
  correlationId: number,
  frame: Buffer,
): Of<Response> {
  const reader = new Reader(frame)
  const isFlexible = includes(api.response.flexible, version) && api.key !== apiVersionsKey
  const header = codec(ResponseHeader, isFlexible ? 1 : 0).decode(reader)
  if (header.correlationId !== correlationId) {
    throw new Error(`the answer to ${header.correlationId} came in place of the one to ${correlationId}`)
  }
  const answer = codec(api.response, version).decode(reader)
  if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes after the answer`)
  return answer
}
