// A broker that dies and comes back: always on the same port, over the same data.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './probe.mjs'

/**
 * @param {(options: { port: number, dataDir: string }) => Promise<object>} start `startOdradek` or `startKafka`
 * @returns {Promise<{ address: string, folder: string, kill(): Promise<void>, restart(): Promise<void>,
 *   remove(): Promise<void> }>} `folder` is removed with the broker; `kill` is kill -9; `restart` is after `kill`
 */
export async function startMortalBroker(start) {
  const folder = await mkdtemp(join(tmpdir(), 'compat-mortal-'))
  const options = { port: await freePort(), dataDir: join(folder, 'data') }
  let broker = await start(options)
  return {
    address: broker.address,
    folder,
    kill: () => broker.kill(),
    restart: async () => {
      broker = await start(options)
    },
    remove: async () => {
      await broker.kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
