// The judge of a history: which promises of transactions were broken. Pure; anomalies.d.mts says what a history is.

const placeOf = ({ topic, partition }) => `${topic}-${partition}`

/** @type {import('./anomalies.d.mts').findAnomalies} */
export function findAnomalies(history) {
  const of = kind => history.filter(event => event.kind === kind)
  const outcomes = new Map(of('end').map(({ transaction, outcome }) => [transaction, outcome]))
  const produces = of('produce')
  const readers = readersOf(of('poll'))
  const ended = new Set(of('read-to-end').map(({ reader }) => reader))
  return [
    ...readers.flatMap(monotony),
    ...readers.flatMap(reader => origins(reader, produces, outcomes)),
    ...readers.filter(({ name }) => ended.has(name)).flatMap(reader => wholeness(reader, produces, outcomes)),
    ...agreement(readers),
    ...offsets(of('offset-commit'), of('offset-fetch'), outcomes),
  ]
}

/** By reader everything it read, with how often each value came. */
function readersOf(polls) {
  const readers = new Map()
  for (const poll of polls) {
    const reader = readers.get(poll.reader) ?? { name: poll.reader, polls: [], counts: new Map() }
    readers.set(poll.reader, reader)
    reader.polls.push(poll)
    for (const { value } of poll.records) reader.counts.set(value, (reader.counts.get(value) ?? 0) + 1)
  }
  return [...readers.values()]
}

/** Offsets of a partition only grow, within a poll and from one to the next. */
function monotony({ name, polls }) {
  const found = []
  const lastOffsets = new Map()
  for (const poll of polls) {
    const place = placeOf(poll)
    for (const { offset } of poll.records) {
      const last = lastOffsets.get(place) ?? -1
      if (offset <= last) {
        found.push({ kind: 'non-monotonic poll', what: `${name} read ${place}@${offset} after @${last}` })
      }
      lastOffsets.set(place, offset)
    }
  }
  return found
}

/** Every value read was written, there, once, and not by a transaction that was aborted. */
function origins({ name, polls, counts }, produces, outcomes) {
  const written = new Map(produces.map(produce => [produce.value, produce]))
  const found = []
  for (const [value, count] of counts) {
    if (count > 1) found.push({ kind: 'duplicate', what: `${name} read ${value} ${count} times` })
  }
  for (const poll of polls) {
    const place = placeOf(poll)
    for (const { offset, value } of poll.records) {
      const produce = written.get(value)
      if (produce === undefined || placeOf(produce) !== place) {
        found.push({ kind: 'value from nowhere', what: `${name} read ${value} at ${place}@${offset}` })
      } else if (outcomes.get(produce.transaction) === 'aborted') {
        found.push({
          kind: 'aborted read',
          what: `${name} read ${value} of ${produce.transaction} at ${place}@${offset}`,
        })
      }
    }
  }
  return found
}

/** What was committed is there; a transaction of unknown end is there as a whole or not at all. */
function wholeness({ name, counts }, produces, outcomes) {
  const found = []
  for (const [transaction, members] of groupBy(produces, ({ transaction }) => transaction)) {
    const outcome = outcomes.get(transaction) ?? 'unknown'
    if (outcome === 'aborted') continue
    const missing = members.filter(({ value }) => !counts.has(value))
    if (outcome === 'committed') {
      for (const produce of missing) {
        const what = `${name} never read ${produce.value} of ${transaction} in ${placeOf(produce)}`
        found.push({ kind: 'lost write', what })
      }
    }
    if (members[0].isTransactional && missing.length > 0 && missing.length < members.length) {
      const what = `${name} read ${members.length - missing.length} of the ${members.length} values of ${transaction}`
      found.push({ kind: 'torn transaction', what })
    }
  }
  return found
}

/** Readers of one partition read the same value at the same offset. */
function agreement(readers) {
  const found = []
  const first = new Map()
  for (const { name, polls } of readers) {
    for (const poll of polls) {
      for (const { offset, value } of poll.records) {
        const at = `${placeOf(poll)}@${offset}`
        const known = first.get(at)
        if (known === undefined) first.set(at, { name, value })
        else if (known.value !== value) {
          const what = `${at} is ${known.value} for ${known.name} and ${value} for ${name}`
          found.push({ kind: 'non-monotonic poll', what })
        }
      }
    }
  }
  return found
}

/** A group's offset is that of its last committed transaction, or of one of unknown end that came after it. */
function offsets(commits, fetches, outcomes) {
  return fetches.flatMap(fetch => {
    const place = placeOf(fetch)
    const mine = commits.filter(commit => commit.group === fetch.group && placeOf(commit) === place)
    const last = mine.findLastIndex(({ transaction }) => outcomes.get(transaction) === 'committed')
    const later = mine.slice(last + 1).filter(({ transaction }) => outcomes.get(transaction) !== 'aborted')
    const allowed = [last < 0 ? -1 : mine[last].offset, ...later.map(({ offset }) => offset)]
    if (allowed.includes(fetch.offset)) return []
    const what = `${fetch.group} is at ${place}@${fetch.offset}, not at ${[...new Set(allowed)].join(' or ')}`
    return [{ kind: 'inconsistent offsets', what }]
  })
}

function groupBy(list, keyOf) {
  const groups = new Map()
  for (const item of list) {
    const key = keyOf(item)
    const group = groups.get(key) ?? []
    groups.set(key, group)
    group.push(item)
  }
  return groups
}
