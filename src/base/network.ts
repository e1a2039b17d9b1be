/** Where to listen. Port 0 takes a free one. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The only door to other machines. A simulator hands in one of its own. */
export interface Network {
  /**
   * Takes connections there from now on. Rejects with the system's error, EADDRINUSE say; `failed` hears of those that come
   * later.
   */
  listen(
    address: Address,
    accept: (arrival: Arrival) => void,
    failed: (error: Error) => void,
  ): Promise<Listening>
}

/** An open listener. */
export interface Listening {
  readonly port: number
  /** Takes no more connections. */
  close(): void
}

/** A connection that somebody has made and nothing was read from. */
export interface Arrival {
  /** The peer's address, without a port. */
  readonly clientHost: string
  /** Begins to read. */
  open(reader: ChunkReader): Channel
}

/** Who takes what a connection reads. */
export interface ChunkReader {
  /**
   * Where the next bytes are wanted, so that nobody has to copy them there; undefined where that is not known. Asked before each read,
   * and good until that has come.
   */
  room(): Buffer | undefined
  /** So many bytes have come to the front of what `room` has given. */
  fill(length: number): void
  /** These bytes have come; they are lent for the time of the call. */
  take(chunk: Buffer): void
}

/** The broker's end of a connection: what it uses of Node's sockets, and with their meaning. */
export interface Channel {
  readonly destroyed: boolean
  /** Bytes that were written and that the system has not taken yet. */
  readonly writableLength: number
  /** `sent` is called once the system has taken the bytes, or never will. */
  write(bytes: Buffer, sent?: () => void): unknown
  cork(): void
  uncork(): void
  pause(): unknown
  resume(): unknown
  /** Closes this direction behind what was written. */
  end(ended: () => void): unknown
  destroy(): unknown
  on(event: 'close' | 'drain', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}
