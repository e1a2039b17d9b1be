// Where odradek's own process spends its CPU: V8's sampling profiler over one produce and one consume run.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { runLoadgen } from './loadgen.mjs'

const functionsShown = 25
const root = join(import.meta.dirname, '..')
const sizes = { '1k': 1000, '100b': 100 }

/** Profiles the case `only` ('1k' unless it is '100b') and prints the functions with the most self time. */
export async function profileOdradek({ cache, quick, only }) {
  await prepareOdradek()
  const folder = await mkdtemp(join(cache, 'profile-'))
  const size = sizes[only] ?? sizes['1k']
  const mb = (quick ? 200 : 2000) / (size === sizes['1k'] ? 1 : 4)
  try {
    for (const mode of ['produce', 'consume']) {
      const profiles = join(folder, mode)
      const nodeArgs = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', profiles]
      const broker = await startOdradek({ dataDir: join(folder, 'data'), nodeArgs })
      const result = await runLoadgen(mode, { b: broker.address, pid: broker.pid, topic: 'load', size, mb })
      // A profile is written by a process that ends by itself, not by one that is killed.
      await broker.stop()
      const rate = `${Math.round(result.mb_per_s)} MB/s, ${result.broker_cpu_s_per_gb.toFixed(2)} CPU s/GB`
      console.log(`\n${mode}, ${mb} MB in records of ${size} B, profiler on: ${rate}`)
      for (const file of await readdir(profiles)) {
        const profile = JSON.parse(await readFile(join(profiles, file), 'utf8'))
        console.log(`\n${formatProfile(profile)}`)
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The functions of a .cpuprofile with the most self time, as lines of percent, ms, name and place; idle left out. */
function formatProfile({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map(node => [node.id, node.callFrame]))
  const selfMs = new Map()
  let busyMs = 0
  samples.forEach((id, index) => {
    const frame = byId.get(id)
    if (frame.functionName === '(idle)' || frame.functionName === '(root)') return
    const key = `${frame.functionName || '(anonymous)'}  ${place(frame)}`
    const ms = timeDeltas[index] / 1000
    selfMs.set(key, (selfMs.get(key) ?? 0) + ms)
    busyMs += ms
  })
  const top = [...selfMs].sort(([, a], [, b]) => b - a).slice(0, functionsShown)
  const lines = top.map(([key, ms]) => {
    const percent = ((100 * ms) / busyMs).toFixed(1)
    return `${percent.padStart(6)} %${ms.toFixed(0).padStart(7)} ms  ${key}`
  })
  return [`${busyMs.toFixed(0)} ms of JavaScript, collection and native code below it`, ...lines].join('\n')
}

function place({ url, lineNumber }) {
  if (!url) return ''
  const path = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
  return `${path}:${lineNumber + 1}`
}
