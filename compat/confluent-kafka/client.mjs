import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../process.mjs'

export const name = 'confluent-kafka'

const here = import.meta.dirname
const requirements = join(here, 'requirements.txt')

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for exactly-once/ and vlsn/
 */
export async function prepare() {
  const version = /==(\S+)/.exec(await readFile(requirements, 'utf8'))[1]
  const venv = join(here, '..', '.cache', `confluent-kafka-${version}`)
  const python = join(venv, 'bin', 'python')
  const isUsable = async () =>
    existsSync(python) && (await run(python, ['-c', 'import confluent_kafka'])).code === 0
  if (!(await isUsable())) {
    await rm(venv, { recursive: true, force: true })
    const created = await run('python3', ['-m', 'venv', venv])
    if (created.code === -1) return { skip: 'python3 is not installed' }
    if (created.code !== 0) return { skip: 'python3 cannot create virtual environments' }
    const pip = await run(python, ['-m', 'pip', 'install', '-q', '-r', requirements], { timeoutMs: 300_000 })
    if (pip.code !== 0)
      return { skip: `pip could not install confluent-kafka: ${pip.stderr.trim().slice(-200)}` }
  }
  const library = await run(python, ['-c', 'import confluent_kafka; print(confluent_kafka.libversion()[0])'])
  return {
    version: `${version} (librdkafka ${library.stdout.trim()})`,
    command: [python, '-B', join(here, 'main.py')],
    programs: {
      transform: [python, '-B', join(here, 'transform.py')],
      'vlsn-reader': [python, '-B', join(here, 'vlsn_reader.py')],
    },
  }
}
