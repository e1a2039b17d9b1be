// From the figures of all rounds to the table, bench/RESULTS.md and bench/results.svg.
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { figures, format, latencyRate } from './cases.mjs'
import { drawRatios } from './picture.mjs'

/** The middle of some numbers, or of the two middle ones their mean. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * One row a figure out of `rounds` ({ odradek: [figures of a round, ...], kafka: [...] }) and the disk's p99 sync.
 * `ratio` says how many times better odradek is, whichever direction is better.
 */
export function summarize(rounds, diskP99Ms) {
  const rows = []
  for (const [key, figure] of Object.entries(figures)) {
    const odradek = spread(rounds.odradek, key)
    const kafka = spread(rounds.kafka, key)
    if (odradek === undefined && kafka === undefined) continue
    const ratio = odradek && kafka && advantage(figure.better, odradek.median, kafka.median)
    rows.push({ ...figure, odradek, kafka, ratio, ...judge(figure, odradek?.median, ratio, diskP99Ms) })
  }
  return rows
}

/** The rows as a Markdown table, which a terminal shows well enough too. */
export function formatTable(rows) {
  const header = [
    '',
    'unit',
    'odradek',
    '(min - max)',
    'Apache Kafka',
    '(min - max)',
    'ratio',
    'target',
    'met',
  ]
  const lines = rows.map(row => [
    row.name,
    row.unit,
    format(row.odradek?.median),
    formatSpread(row.odradek),
    format(row.kafka?.median),
    formatSpread(row.kafka),
    row.ratio === undefined ? '-' : `${row.ratio.toFixed(2)}x`,
    row.target,
    row.met === undefined ? '' : row.met ? 'yes' : 'no',
  ])
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map(line => line[column].length)))
  const leftAligned = 2
  const align = (cell, column) =>
    column < leftAligned ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
  const rule = widths.map((width, column) => '-'.repeat(width - 1) + (column < leftAligned ? '-' : ':'))
  return [header.map(align), rule, ...lines.map(line => line.map(align))]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** Writes bench/RESULTS.md and bench/results.svg. */
export function writeResults({ rows, rounds, command, versions, seconds, diskP99Ms }) {
  const bars = rows.filter(row => row.ratio !== undefined)
  writeFileSync(
    new URL('results.svg', import.meta.url),
    drawRatios(bars, 'odradek (synced) against Apache Kafka (unsynced): right of the line is better'),
  )
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  writeFileSync(
    new URL('RESULTS.md', import.meta.url),
    `# odradek against Apache Kafka

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds / 60)} minutes.
${cpus().length} cores (${cpus()[0].model.trim()}), ${memoryGb} GB of memory, load generator on the same machine.
${versions.join(', ')}.

${rounds} rounds, the two brokers in turn, each time in a fresh process and a fresh directory on the same disk, warmed
up before anything is measured; throughput is taken twice a round. Medians; a ratio above 1 means that odradek is
ahead, whether more or less is better.
Both answer \`acks=all\`: odradek after an fdatasync, Apache Kafka at its defaults, which leave writing to the kernel.
Page cache memory is touched before each produce run, so that none pays for memory new to a virtual machine.
Latency is at ${latencyRate.toLocaleString('en')} records of 1 KB a second. Reads come from what was just written.
The disk's own p99 of a 4 KiB append and sync was ${format(diskP99Ms)} ms.

![Ratios of odradek to Apache Kafka](results.svg)

${formatTable(rows)}
`,
  )
}

function spread(rounds, key) {
  const values = rounds.flatMap(round => round[key]).filter(value => value !== undefined)
  if (values.length === 0) return undefined
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

function formatSpread(figure) {
  return figure === undefined ? '' : `${format(figure.min)} - ${format(figure.max)}`
}

function advantage(better, odradek, kafka) {
  return better === 'more' ? odradek / kafka : kafka / odradek
}

function judge(figure, odradek, ratio, diskP99Ms) {
  if (figure.timesKafka !== undefined) {
    return { target: `>= ${figure.timesKafka.toFixed(1)}x`, met: ratio && ratio >= figure.timesKafka }
  }
  const bound = figure.overDiskMs === undefined ? figure.atMost : diskP99Ms + figure.overDiskMs
  if (bound === undefined) return { target: '', met: undefined }
  return {
    target: `<= ${format(bound)} ${figure.unit}`,
    met: odradek === undefined ? undefined : odradek <= bound,
  }
}
