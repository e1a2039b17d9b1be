// From the figures of all rounds to the tables, bench/RESULTS.md and bench/results.svg.
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { figures, format, groups } from './figures.mjs'
import { drawRatios } from './picture.mjs'
import { latencyRate } from './sessions/ordinary.mjs'

/** The middle of some numbers, or of the two middle ones their mean. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * One row a figure out of `rounds` ({ odradek: [figures by key, ...], kafka: [...] }) and the disk's p99 sync.
 * `ratio` says how many times better odradek is, whichever direction is better; `met` whether the target is reached.
 */
export function summarize(rounds, diskP99Ms) {
  const rows = []
  for (const [key, figure] of Object.entries(figures)) {
    const odradek = spread(rounds.odradek, key)
    const kafka = spread(rounds.kafka, key)
    if (odradek === undefined && kafka === undefined) continue
    const isComparable = odradek && kafka && !figure.own
    const ratio = isComparable ? advantage(figure.better, odradek.median, kafka.median) : undefined
    rows.push({ ...figure, odradek, kafka, ratio, ...judge(figure, odradek?.median, ratio, diskP99Ms) })
  }
  return rows
}

/** A Markdown table for each group, which a terminal shows well enough too. */
export function formatTables(rows) {
  return groups
    .map(group => ({ group, members: rows.filter(row => row.group === group) }))
    .filter(({ members }) => members.length > 0)
    .map(({ group, members }) => `## ${group}\n\n${formatTable(members)}`)
    .join('\n\n')
}

/** How many targets are met, and which are not. */
export function tally(rows) {
  const judged = rows.filter(row => row.met !== undefined)
  const missed = judged.filter(row => !row.met).map(row => row.name)
  const met = `${judged.length - missed.length} of ${judged.length} targets are met`
  return missed.length === 0 ? `${met}.` : `${met}; missed: ${missed.join('; ')}.`
}

/** Writes RESULTS.md and results.svg into `folder`. */
export function writeResults(
  folder,
  rows,
  { rounds, command, versions, seconds, diskP99Ms, diskRates, notes },
) {
  const bars = rows.filter(row => row.ratio !== undefined)
  writeFileSync(
    join(folder, 'results.svg'),
    drawRatios(bars, 'odradek (synced) against Apache Kafka (unsynced): right of the line is better'),
  )
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  writeFileSync(
    join(folder, 'RESULTS.md'),
    `# odradek against Apache Kafka

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.ceil(seconds / 60)} minutes.
${cpus().length} cores (${cpus()[0].model.trim()}), ${memoryGb} GB of memory, load generator on the same machine.
${versions.join(', ')}.

${tally(rows)}

${rounds} rounds, the two brokers in turn, each time in a fresh process and a fresh directory on the same disk, warmed
up before anything is measured. Medians of all runs, \`n\` of them on each side; a ratio above 1 means that odradek is
ahead, whether more or less is better.
Both answer \`acks=all\`: odradek after a sync, Apache Kafka at its defaults, which leave writing to the kernel.
Page cache memory is touched before each produce run, so that none pays for memory new to a virtual machine.
Latency is at ${latencyRate.toLocaleString('en')} records of 1 KB a second. Reads come from what was just written, unless they are cold: then the page
cache was emptied before. At the tail, the records are consumed while they are produced as fast as that goes.
Many partitions are written evenly: the first 10 KB of each when they are new, which costs Apache Kafka several files for
each, and then more, of which Apache Kafka gets less. The producer holds 200,000 records, as in all other cases, or where it
says so 32 MB, as Kafka's own does: most batches are then of one record.
"Kafka flushing" is Apache Kafka with \`log.flush.interval.messages=1\`, which syncs before it answers, as odradek does.
The kill after 10 GB comes in the middle of writing.
The disk's own p99 of a 4 KiB append and sync was ${format(diskP99Ms)} ms. By itself it took ${format(Math.min(...diskRates))} to ${format(Math.max(...diskRates))} MB/s, 4 MiB at a
time and each synced: what odradek answers cannot be faster for long, and what Apache Kafka leaves to the kernel can.
${notes.map(note => `\n- ${note}`).join('')}

![Ratios of odradek to Apache Kafka](results.svg)

${formatTables(rows)}
`.replaceAll(/\n{3,}/g, '\n\n'),
  )
}

function formatTable(rows) {
  const header = [
    '',
    'unit',
    'odradek',
    '(min - max)',
    'Apache Kafka',
    '(min - max)',
    'n',
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
    `${row.odradek?.count ?? 0}/${row.kafka?.count ?? 0}`,
    row.ratio === undefined ? '-' : `${row.ratio.toFixed(2)}x`,
    row.target,
    row.verdict,
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

function spread(rounds, key) {
  const values = rounds.flatMap(round => round[key]).filter(value => value !== undefined)
  if (values.length === 0) return undefined
  const [min, max] = [Math.min(...values), Math.max(...values)]
  return { median: median(values), min, max, count: values.length }
}

function formatSpread(figure) {
  return figure === undefined || figure.count === 1 ? '' : `${format(figure.min)} - ${format(figure.max)}`
}

function advantage(better, odradek, kafka) {
  return better === 'more' ? odradek / kafka : kafka / odradek
}

function judge(figure, odradek, ratio, diskP99Ms) {
  const { value, target, bound } = aim(figure, odradek, ratio, diskP99Ms)
  if (bound === undefined) return { target: '', met: undefined, verdict: '' }
  if (value === undefined) return { target, met: undefined, verdict: '-' }
  const isMet = (figure.overDiskMs ?? figure.atMost) === undefined ? value >= bound : value <= bound
  const isLeastMet = figure.timesKafkaMin !== undefined && value >= figure.timesKafkaMin
  return {
    target,
    met: isMet,
    verdict: isMet ? 'yes' : isLeastMet ? `only ${figure.timesKafkaMin.toFixed(1)}x` : 'no',
  }
}

/** What a figure is held against: `value` must reach `bound`, which `target` says in words. */
function aim({ timesKafka, timesKafkaMin, atLeast, atMost, overDiskMs, unit }, odradek, ratio, diskP99Ms) {
  if (timesKafka !== undefined) {
    const least = timesKafkaMin === undefined ? '' : `, at least ${timesKafkaMin.toFixed(1)}x`
    return { value: ratio, bound: timesKafka, target: `>= ${timesKafka.toFixed(1)}x${least}` }
  }
  if (atLeast !== undefined) {
    return { value: odradek, bound: atLeast, target: `>= ${format(atLeast)}${unit}` }
  }
  const bound = overDiskMs === undefined ? atMost : diskP99Ms + overDiskMs
  return { value: odradek, bound, target: bound === undefined ? '' : `<= ${format(bound)} ${unit}` }
}
