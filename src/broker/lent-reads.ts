import { Socket } from 'node:net'
import type { ChunkReader } from '../base/network.ts'

/**
 * Every socket reads into this one buffer, unless its reader knows better: libuv fills it and calls back before it reads again, from
 * whichever socket. Node's own way is a fresh 64 KiB for each read, and collecting those costs a fifth of the broker's time under load.
 */
const shared = Buffer.allocUnsafeSlow(256 * 1024)
/** So much of it where the last read ended what was long: what comes next is likely to be long as well, and to have a place soon. */
const sharedStart = shared.subarray(0, 16 * 1024)

/** Where Node keeps what a socket reads from; the same since version 0.12. */
const nodesHandle = '_handle'

/**
 * An accepted, paused socket as one that reads into memory of `reader`, or lends it what it has read. Node offers this
 * (`onread`) for sockets that it makes, not for those that it accepts, so the connection is moved into one that we make.
 */
export function lendReads(accepted: Socket, reader: ChunkReader): Socket {
  const holder = accepted as unknown as Record<typeof nodesHandle, unknown>
  const handle = holder[nodesHandle]
  holder[nodesHandle] = null
  let isFilling = false
  const onread = {
    // Asked for when the socket is made, and after each call back.
    buffer(): Buffer {
      const room = reader.room()
      const wasFilling = isFilling
      isFilling = room !== undefined
      return room ?? (wasFilling ? sharedStart : shared)
    },
    callback(length: number, buffer: Buffer): boolean {
      if (isFilling) reader.fill(length)
      else reader.take(buffer.subarray(0, length))
      return true
    },
  }
  return new Socket({ handle, onread } as object)
}
