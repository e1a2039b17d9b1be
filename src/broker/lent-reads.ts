import { Socket } from 'node:net'

/**
 * Every socket reads into this one buffer: libuv fills it and calls back before it reads again, from whichever socket.
 * Node's own way is a fresh 64 KiB for each read, and collecting those costs a fifth of the broker's time under load.
 */
const shared = Buffer.allocUnsafeSlow(256 * 1024)

/** Where Node keeps what a socket reads from; the same since version 0.12. */
const nodesHandle = '_handle'

/**
 * An accepted, paused socket as one that lends what it reads to `take`, for the time of the call. Node offers this
 * (`onread`) for sockets that it makes, not for those that it accepts, so the connection is moved into one that we make.
 */
export function lendReads(accepted: Socket, take: (chunk: Buffer) => void): Socket {
  const holder = accepted as unknown as Record<typeof nodesHandle, unknown>
  const handle = holder[nodesHandle]
  holder[nodesHandle] = null
  const onread = {
    buffer: shared,
    callback(length: number): boolean {
      take(shared.subarray(0, length))
      return true
    },
  }
  return new Socket({ handle, onread } as object)
}
