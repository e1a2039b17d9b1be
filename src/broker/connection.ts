import type { Channel } from '../base/network.ts'
import { MalformedError } from '../protocol/reader.ts'
import type { ConnectionInfo, Services } from './context.ts'
import { dispatch, isPipelined, UnservedError, type Answer } from './dispatch.ts'
import { FrameReader, type Frame } from './frames.ts'

/** What one connection may hold in memory, in bytes, before it has to wait. */
const limits = {
  /** Requests that arrived while an earlier one is being answered. */
  bufferedMax: 1024 * 1024,
  /** Answers that the peer has not read. */
  unreadMax: 4 * 1024 * 1024,
  /** Answers under way, counted. */
  answersMax: 1000,
  /** Up to this size answers are joined: one write call costs more than the copy. */
  joinedMax: 64 * 1024,
}

/** How long a peer may take to close its side after we have closed ours. */
const lingerMs = 500

interface Slot {
  readonly answer: Answer
  isReady: boolean
  pieces: Buffer[] | undefined
}

/** One client: its bytes in, its requests served in order, its answers out in the same order. */
export class Connection {
  readonly info: ConnectionInfo
  /** Resolves when the socket is closed. */
  readonly gone: Promise<void>
  readonly #socket: Channel
  readonly #services: Services
  readonly #frames: FrameReader
  readonly #abort = new AbortController()
  readonly #slots: Slot[] = []
  #isServing = false
  /** A request that is not pipelined, while those before it are being answered: it may ask for what they do. */
  #deferred: Frame | undefined
  /** A request is being answered that is not pipelined, or one that has no place in order yet. */
  #isBusy = false
  /** The peer does not read what we answer. */
  #isUnread = false
  /** The log cannot take more for now. */
  #isCongested = false
  #isFlushPending = false
  #isEnding = false
  /** Everything has been answered, and our side is closed. */
  #isFinished = false
  /** When bytes last went in or out, in ms of the monotonic clock. */
  #activeAt: number

  constructor(
    socket: Channel,
    info: Omit<ConnectionInfo, 'closed' | 'close'>,
    services: Services,
    frames: FrameReader,
  ) {
    this.#socket = socket
    this.info = { ...info, closed: this.#abort.signal, close: reason => this.#refuse(reason) }
    this.#services = services
    this.#frames = frames
    this.#activeAt = services.clock.monotonic()
    socket.on('drain', () => {
      this.#isUnread = false
      this.#serve()
    })
    socket.on('error', error => services.logger.debug({ err: error, ...this.#facts() }, 'connection lost'))
    this.gone = new Promise(resolve => {
      socket.on('close', () => {
        this.#closed()
        resolve()
      })
    })
  }

  /** So many bytes were read to where its frames have room for them. */
  fill(length: number): void {
    if (this.#isFinished) return
    this.#activeAt = this.#services.clock.monotonic()
    this.#frames.fill(length)
    this.#serve()
  }

  /** Takes what the socket has read, which is the socket's again when this returns. */
  take(chunk: Buffer): void {
    if (this.#isFinished) return
    this.#activeAt = this.#services.clock.monotonic()
    this.#frames.push(chunk)
    this.#serve()
    this.#frames.keep()
  }

  /** Takes no further request, and closes when what was taken in has been answered. */
  end(): void {
    this.#isEnding = true
    this.#abort.abort()
    if (this.#slots.length === 0) this.#finish()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /**
   * Closes a connection on which nothing is under way and nothing has moved for so long. A peer that does not read what was
   * answered has as long again to take it.
   */
  endIfIdle(idleMsMax: number): void {
    const idleMs = this.#services.clock.monotonic() - this.#activeAt
    if (this.#slots.length > 0 || idleMs < idleMsMax) return
    if (this.#isEnding) {
      if (idleMs >= 2 * idleMsMax) this.destroy()
      return
    }
    this.#services.logger.info(this.#facts(), 'closing an idle connection')
    this.end()
  }

  /**
   * Closes our side behind what was written. What the peer still sends is read and dropped for a while: closing on unread bytes
   * would have the system take back answers that are on their way.
   */
  #finish(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#socket.resume()
    this.#socket.end(() => {
      const cancel = this.#services.clock.after(lingerMs, () => this.#socket.destroy())
      void this.gone.then(cancel)
    })
  }

  #refuse(reason: string): void {
    this.#services.logger.warn({ ...this.#facts(), reason }, `closing a connection: ${reason}`)
    this.#socket.destroy()
  }

  #facts(): object {
    return { connection: this.info.id, client: this.info.clientHost, listener: this.info.listener }
  }

  /** Serves what has arrived, until something has to be waited for. */
  #serve(): void {
    if (this.#isServing || this.#isFinished) return
    this.#isServing = true
    try {
      while (this.#mayServe()) {
        const frame = this.#deferred ?? this.#frames.next()
        this.#deferred = undefined
        if (!frame) break
        const isSerial = !isPipelined(frame)
        if (isSerial && this.#slots.length > 0) {
          this.#deferred = frame
          continue
        }
        try {
          this.#enqueue(dispatch(frame, this.info, this.#services), isSerial)
        } finally {
          frame.hold?.release()
        }
      }
    } catch (error) {
      if (!(error instanceof MalformedError || error instanceof UnservedError)) throw error
      this.#refuse(error.message)
    } finally {
      this.#isServing = false
    }
    if (this.#frames.isStarved) this.#services.requestMemory.onceFreed(this.#resume)
    const mayRead = this.#mayServe() || this.#frames.buffered < limits.bufferedMax
    if (mayRead && !this.#frames.isStarved) this.#socket.resume()
    else this.#socket.pause()
  }

  readonly #resume = (): void => {
    // The one who gave memory back is in the midst of its own request.
    this.#services.clock.soon(() => this.#serve())
  }

  #mayServe(): boolean {
    if (this.#isBusy || this.#isUnread || this.#isEnding || this.#socket.destroyed) return false
    if (this.#slots.length >= (this.#deferred ? 1 : limits.answersMax)) return false
    if (this.#services.store.isCongested) {
      this.#awaitRelief()
      return false
    }
    return true
  }

  #awaitRelief(): void {
    if (this.#isCongested) return
    this.#isCongested = true
    this.#services.store.onceRelieved(() => {
      this.#isCongested = false
      this.#serve()
    })
  }

  #enqueue(answer: Answer, isSerial: boolean): void {
    const slot: Slot = { answer, isReady: false, pieces: undefined }
    this.#slots.push(slot)
    if (!(answer.pieces instanceof Promise)) {
      this.#ready(slot, answer.pieces)
      return
    }
    const { pieces, placed } = answer
    const turn = isSerial ? pieces : placed
    if (turn) this.#isBusy = true
    void pieces.then(pieces => this.#ready(slot, pieces))
    void turn
      ?.catch(() => undefined)
      .then(() => {
        this.#isBusy = false
        this.#serve()
      })
  }

  #ready(slot: Slot, pieces: Buffer[] | undefined): void {
    slot.isReady = true
    slot.pieces = pieces
    if (this.#isFlushPending || !this.#slots[0]?.isReady) return
    this.#isFlushPending = true
    // Answers that become ready in the same turn, as those of one block do, share one write.
    this.#services.clock.soon(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushPending = false
    const pieces: Buffer[] = []
    const sent: (() => void)[] = []
    let length = 0
    let count = 0
    while (count < this.#slots.length && this.#slots[count]!.isReady) {
      const slot = this.#slots[count++]!
      for (const piece of slot.pieces ?? []) {
        pieces.push(piece)
        length += piece.length
      }
      for (const each of slot.answer.sent) sent.push(each)
    }
    this.#slots.splice(0, count)
    const done = (): void => {
      for (const release of sent) release()
    }
    if (this.#socket.destroyed) return done()
    this.#write(pieces, length, done)
    if (this.#isEnding && this.#slots.length === 0) this.#finish()
    else this.#serve()
  }

  #write(pieces: Buffer[], length: number, done: () => void): void {
    if (pieces.length === 0) return done()
    this.#activeAt = this.#services.clock.monotonic()
    if (pieces.length === 1 || length <= limits.joinedMax) {
      this.#socket.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length), done)
    } else {
      this.#socket.cork()
      for (let index = 0; index < pieces.length - 1; index++) this.#socket.write(pieces[index]!)
      this.#socket.write(pieces.at(-1)!, done)
      this.#socket.uncork()
    }
    if (this.#socket.writableLength > limits.unreadMax) this.#isUnread = true
  }

  #closed(): void {
    this.#abort.abort()
    this.#frames.close()
    for (const slot of this.#slots.splice(0)) {
      const release = (): void => {
        for (const each of slot.answer.sent) each()
      }
      if (slot.isReady) release()
      else void (slot.answer.pieces as Promise<unknown>).then(release)
    }
  }
}
