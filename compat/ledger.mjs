// The ledger: which client passed which scenario on which broker.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { catalogue, odradekAlone } from './catalogue.mjs'

const file = join(import.meta.dirname, 'LEDGER.md')

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  const line = cells => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [line(rows[0]), line(widths.map(width => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n')
}

/**
 * Renders the ledger as Markdown; a complete run also writes it to LEDGER.md.
 * @returns {Promise<string>} the table
 */
export async function writeLedger({ brokers, clients, skips, results, isComplete }) {
  const cell = (client, scenario) => {
    const ofClient = results.filter(result => result.client === client && result.scenario === scenario)
    if (ofClient.length === 0) return '–'
    const verdicts = brokers.map(({ name }) => {
      const result = ofClient.find(({ broker }) => broker === name)
      if (result) return result.ok ? '✓' : '✗'
      return name === 'kafka' && odradekAlone.has(scenario) ? '–' : '·'
    })
    return verdicts.join(' ')
  }
  const seen = new Set(results.map(({ scenario }) => scenario))
  const scenarios = [...Object.keys(catalogue).filter(name => seen.delete(name)), ...seen]
  const names = clients.map(({ name }) => name)
  const ledger = table([
    ['scenario', ...names],
    ...scenarios.map(scenario => [scenario, ...names.map(name => cell(name, scenario))]),
  ])
  if (isComplete) await writeFile(file, page({ brokers, clients, skips, results, ledger }))
  return ledger
}

function page({ brokers, clients, skips, results, ledger }) {
  const lines = [
    '# Compatibility ledger',
    '',
    'Written by `npm run compat`; do not edit. The same unchanged scenarios run on both brokers: each cell shows',
    `${brokers.map(({ name }) => name).join(', then ')}. ✓ passed, ✗ failed, · not run, – the client or the broker`,
    'has no such thing.',
    '',
    `Run on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}.`,
    '',
    ...[...brokers, ...clients].map(({ name, version }) => `- ${name} ${version}`),
    ...skips.map(({ name, reason }) => `- ${name} skipped: ${reason}`),
    '',
    ledger,
    '',
    'What each scenario asks:',
    '',
    ...Object.entries(catalogue).map(([name, question]) => `- ${name}: ${question}`),
    '',
  ]
  const failures = results.filter(({ ok }) => !ok)
  if (failures.length > 0) lines.push('## Failures', '')
  for (const { broker, client, scenario, error } of failures) {
    lines.push(`- ${broker}, ${client}, ${scenario}: ${error.replaceAll(/\s+/g, ' ').slice(0, 300)}`)
  }
  return `${lines.join('\n').trimEnd()}\n`
}
