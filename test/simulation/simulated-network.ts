import type { Arrival, Channel, ChunkReader, Network } from '../../src/base/network.ts'
import type { Random } from '../../src/base/random.ts'
import type { ClientSocket } from '../support/wire-client.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'

const drainLength = 16 * 1024
/** What every broker reads into. */
const lent = Buffer.alloc(64 * 1024)

/** Connections within this process: bytes take their time and come in pieces of any length, but in order. */
export class SimulatedNetwork {
  readonly #random: Random
  readonly #trace: Trace
  /** Of the network itself, which outlives every broker. */
  readonly #life: Life
  readonly #listeners = new Map<number, { life: Life; accept: (arrival: Arrival) => void }>()
  readonly #ends = new Set<End>()
  #portNext = 20_000
  #count = 0

  constructor(scheduler: Scheduler, random: Random, trace: Trace) {
    this.#random = random
    this.#trace = trace
    this.#life = scheduler.live()
  }

  /** The network as one broker sees it, for as long as it lives. */
  of(life: Life): Network {
    return {
      listen: async ({ port }, accept) => {
        const bound = port === 0 ? this.#portNext++ : port
        this.#listeners.set(bound, { life, accept })
        return { port: bound, close: () => void this.#listeners.delete(bound) }
      },
    }
  }

  /** Connects a client. Rejects with ECONNREFUSED where nobody listens. */
  connect(port: number): Promise<ClientSocket> {
    return new Promise((resolve, reject) => {
      this.later(() => {
        const listener = this.#listeners.get(port)
        if (!listener || listener.life.isOver) {
          return reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
        }
        const id = this.#count++
        const client = new End(this, this.#life, `client ${id}`)
        const broker = new End(this, listener.life, `broker ${id}`)
        client.peer = broker
        broker.peer = client
        this.#ends.add(broker)
        listener.accept({ clientHost: '10.0.0.1', open: reader => broker.readTo(reader) })
        resolve(client)
      })
    })
  }

  /** The broker is dead: its clients notice sooner or later. */
  cut(life: Life): void {
    for (const end of this.#ends) if (end.life === life) end.break()
  }

  /** Breaks one connection, if there is any. */
  breakOne(): void {
    const ends = [...this.#ends]
    ends[this.#random.below(ends.length)]?.break()
  }

  forget(end: End): void {
    this.#ends.delete(end)
  }

  later(callback: () => void): void {
    const dice = this.#random.below(1000)
    this.#life.after(dice < 990 ? 0.01 + dice / 5000 : dice - 980, callback)
  }

  /** How many of `length` bytes arrive together. */
  pieceOf(length: number): number {
    return this.#random.below(4) === 0 ? 1 + this.#random.below(length) : length
  }

  note(what: string, bytes?: Buffer): void {
    this.#trace.note(this.#life.monotonic(), what, bytes)
  }
}

interface Outgoing {
  bytes: Buffer
  readonly sent: (() => void) | undefined
}

/** One end of a connection. */
class End implements Channel, ClientSocket {
  peer!: End
  readonly life: Life
  readonly #network: SimulatedNetwork
  readonly #name: string
  readonly #listeners = new Map<string, ((argument: never) => void)[]>()
  readonly #outgoing: Outgoing[] = []
  #reader: ChunkReader | undefined
  #isMoving = false
  #isPaused = false
  #isDrainDue = false
  #ended: (() => void) | undefined
  destroyed = false
  writableLength = 0

  constructor(network: SimulatedNetwork, life: Life, name: string) {
    this.#network = network
    this.life = life
    this.#name = name
  }

  readTo(reader: ChunkReader): this {
    this.#reader = reader
    this.peer.#move()
    return this
  }

  on(event: string, listener: (argument: never) => void): this {
    const listeners = this.#listeners.get(event)
    if (listeners) listeners.push(listener)
    else this.#listeners.set(event, [listener])
    return this
  }

  once(event: 'close', listener: () => void): this {
    return this.on(event, listener)
  }

  write(bytes: Buffer, sent?: () => void): boolean {
    if (this.destroyed) {
      this.#network.later(() => this.#call(sent))
      return false
    }
    this.#outgoing.push({ bytes, sent })
    this.writableLength += bytes.length
    if (this.writableLength >= drainLength) this.#isDrainDue = true
    this.#move()
    return !this.#isDrainDue
  }

  cork(): void {}

  uncork(): void {}

  pause(): this {
    this.#isPaused = true
    return this
  }

  resume(): this {
    this.#isPaused = false
    this.peer.#move()
    return this
  }

  end(ended: () => void): this {
    this.#ended = ended
    this.#finish()
    return this
  }

  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.writableLength = 0
    this.#network.forget(this)
    this.#network.note(`${this.#name} closed`)
    this.#network.later(() => {
      for (const { sent } of this.#outgoing.splice(0)) this.#call(sent)
      this.#emit('close')
    })
    const { peer } = this
    this.#network.later(() => peer.destroy())
    return this
  }

  /** Somebody has cut the line. */
  break(): void {
    this.#network.later(() => this.destroy())
  }

  /** Moves what was written to the other end, one piece at a time. */
  #move(): void {
    const { peer } = this
    if (this.#isMoving || this.destroyed || this.#outgoing.length === 0 || peer.#isPaused) return
    this.#isMoving = true
    this.#network.later(() => {
      this.#isMoving = false
      const first = this.#outgoing[0]
      if (this.destroyed || this.life.isOver || !first || peer.destroyed || peer.#isPaused) return
      const length = Math.min(this.#network.pieceOf(first.bytes.length), lent.length)
      const piece = Buffer.from(first.bytes.subarray(0, length))
      first.bytes = first.bytes.subarray(length)
      this.writableLength -= length
      if (first.bytes.length === 0) {
        this.#outgoing.shift()
        this.#call(first.sent)
      }
      this.#network.note(`${this.#name} sends`, piece)
      peer.#receive(piece)
      if (this.writableLength === 0 && this.#isDrainDue) {
        this.#isDrainDue = false
        this.#emit('drain')
      }
      this.#finish()
      this.#move()
    })
  }

  #receive(piece: Buffer): void {
    if (this.life.isOver) return
    if (!this.#reader) return this.#emit('data', piece)
    const room = this.#reader.room()
    if (room) {
      const length = piece.copy(room)
      this.#reader.fill(length)
      if (length < piece.length) this.#receive(piece.subarray(length))
      return
    }
    const chunk = lent.subarray(0, piece.length)
    piece.copy(chunk)
    this.#reader.take(chunk)
    // The loan is over: whoever kept it finds something else there.
    chunk.fill(0xdd)
  }

  #finish(): void {
    const ended = this.#ended
    if (!ended || this.#outgoing.length > 0 || this.destroyed) return
    this.#ended = undefined
    this.#network.later(() => this.#call(ended))
  }

  #call(callback: (() => void) | undefined): void {
    if (!this.life.isOver) callback?.()
  }

  #emit(event: string, argument?: unknown): void {
    if (this.life.isOver) return
    for (const listener of this.#listeners.get(event) ?? []) listener(argument as never)
  }
}
