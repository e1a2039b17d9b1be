// The program around a set of scenarios, for the clients driven from Node. The same contract holds in every language:
// arguments are the broker's address and the wanted scenarios (none: all); the first line printed lists the scenarios
// that will run, then follows one line per scenario.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const print = value => process.stdout.write(`${JSON.stringify(value)}\n`)

/** A name nobody has used on this broker. */
export const unique = label => `${label}-${randomBytes(4).toString('hex')}`

/**
 * Polls until `attempt` returns something truthy, and returns that.
 * @throws when the time is over, naming `what` and the reason of `state`
 */
export async function eventually(what, attempt, { timeoutMs = 20_000, state = () => '' } = {}) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await attempt()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what} ${state()}`.trim())
    await sleep(20)
  }
}

/**
 * Runs the scenarios asked for, one after the other.
 * @param {Record<string, (context: { address: string, defer: (close: () => unknown) => void }) => Promise<void>>}
 *   scenarios by name; what a scenario defers runs after it, last first, whatever its outcome
 */
export async function runScenarios(scenarios) {
  const [address, ...wanted] = process.argv.slice(2)
  const names = Object.keys(scenarios).filter(name => wanted.length === 0 || wanted.includes(name))
  print({ scenarios: names })
  for (const scenario of names) {
    const startedAt = performance.now()
    const closers = []
    let error
    try {
      await scenarios[scenario]({ address, defer: close => closers.unshift(close) })
    } catch (failure) {
      error = String(failure?.message ?? failure)
    }
    for (const close of closers) await Promise.resolve(close()).catch(() => {})
    print({ scenario, ok: error === undefined, error, ms: Math.round(performance.now() - startedAt) })
  }
  process.exit(0)
}
