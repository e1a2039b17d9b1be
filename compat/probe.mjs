// What "ready" means for every broker here: a Metadata request is answered with at least one broker.
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// Metadata v1, correlation id 1, no client id, no topics.
const metadataRequest = Buffer.from('0000000e0003000100000001ffff00000000', 'hex')

/** A TCP port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function answersMetadata(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(metadataRequest))
    let answer = Buffer.alloc(0)
    const end = verdict => {
      socket.destroy()
      resolve(verdict)
    }
    socket.setTimeout(2_000, () => end(false))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= 12) end(answer.readInt32BE(4) === 1 && answer.readInt32BE(8) > 0)
    })
  })
}

/**
 * Waits until the broker on 127.0.0.1:`port` answers Metadata with itself.
 * @param {number} port
 * @param {{ hasExited: () => boolean, timeoutMs?: number }} options
 * @throws when the process ends first or the time is over
 */
export async function waitUntilReady(port, { hasExited, timeoutMs = 60_000 }) {
  const deadline = performance.now() + timeoutMs
  while (!(await answersMetadata(port))) {
    if (hasExited()) throw new Error('the broker ended before it was ready')
    if (performance.now() > deadline) throw new Error(`the broker was not ready within ${timeoutMs} ms`)
    await sleep(20)
  }
}
