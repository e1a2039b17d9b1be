// What a group must never do, whatever comes and goes: found in the history of one, after the fact. The types and the
// meaning of every event are in verdict.d.mts.

/** What was fetched before the broker died may be polled for so long after it is back. */
const staleMsMax = 5_000

/** @type {import('./verdict.d.mts').findViolations} */
export function findViolations(unsorted, limits) {
  const history = unsorted.toSorted((a, b) => a.at - b.at)
  const violations = []
  const violate = (kind, what) => violations.push({ kind, what })
  for (const { event, member, error } of history) {
    if (event === 'failed') violate('member failed', `${member ?? 'the watch'}: ${error}`)
  }
  const isShare = limits.protocol === 'share'
  const rested = history.find(({ event }) => event === 'rested')
  const ownership = isShare ? judgeDescribed(history, rested, violate) : judgeOwners(history, rested, violate)
  const deliveries = isShare ? judgeShared(history, limits, violate) : judgeConsumed(history)
  judgeLosses(history, rested, deliveries.seen, violate)
  const convergenceIntervals = judgeConvergence(history, rested, limits, violate)
  const { seen, ...counts } = deliveries
  return { violations, figures: { records: total(seen), ...ownership, ...counts, convergenceIntervals } }
}

const total = seen => [...seen.values()].reduce((sum, offsets) => sum + offsets.size, 0)

/** One owner per partition at every moment, and per generation; at rest, an owner for every partition and even shares. */
function judgeOwners(history, rested, violate) {
  /** Partition to owner to { since, rivals }: who came while this one was still there. */
  const owners = new Map()
  /** Partition to who had it last, and in which generation. */
  const latest = new Map()
  let assignments = 0
  let fenced = 0

  const assign = ({ at, member, generation, partitions }) => {
    assignments++
    for (const partition of partitions) {
      const before = latest.get(partition)
      if (before !== undefined && before.member !== member && generation <= before.generation) {
        const kind =
          generation === before.generation ? 'two owners in one generation' : 'generation went back'
        const past = `${before.member} had partition ${partition} in generation ${before.generation}`
        violate(kind, `${past}, ${member} in ${generation} after it (${seconds(at)})`)
      }
      latest.set(partition, { member, generation })
      const current = owners.get(partition) ?? new Map()
      owners.set(partition, current)
      for (const [other, { rivals }] of current) if (other !== member) rivals.push({ member, at })
      current.set(member, { since: at, rivals: [] })
    }
  }
  const end = (partition, member, at, isFenced) => {
    const ownership = owners.get(partition)?.get(member)
    if (ownership === undefined) return
    owners.get(partition).delete(member)
    // Whom the broker gave up cannot know it until it hears so: it is the generation that tells them apart.
    if (isFenced) return
    for (const rival of ownership.rivals) {
      const overlap = Math.round(at - rival.at)
      violate(
        'two owners',
        `partition ${partition} of ${member} went to ${rival.member} ${overlap} ms early (${seconds(at)})`,
      )
    }
  }
  const endAll = (member, at) => {
    for (const partition of owners.keys()) end(partition, member, at, false)
  }
  for (const event of history) {
    if (event.event === 'assigned') assign(event)
    else if (event.event === 'revoked' || event.event === 'lost') {
      const isFenced = event.event === 'lost'
      if (isFenced && event.partitions.length > 0) fenced++
      for (const partition of event.partitions) end(partition, event.member, event.at, isFenced)
    } else if (event.event === 'crashed' || event.event === 'left') endAll(event.member, event.at)
    else if (event.event === 'host-killed') for (const member of event.members) endAll(member, event.at)
  }
  if (rested !== undefined) {
    const shares = new Map(rested.members.map(member => [member, 0]))
    rested.ends.forEach((_, partition) => {
      const current = [...(owners.get(partition)?.keys() ?? [])]
      if (current.length === 0) violate('no owner', `nobody owns partition ${partition} at rest`)
      if (current.length > 1)
        violate('two owners', `${current.join(' and ')} own partition ${partition} at rest`)
      for (const member of current) shares.set(member, (shares.get(member) ?? 0) + 1)
    })
    judgeShares(shares, rested, violate)
  }
  return { assignments, fenced }
}

function judgeShares(shares, rested, violate) {
  const counts = [...shares.values()]
  if (Math.max(...counts) - Math.min(...counts) <= 1) return
  violate('uneven', `${rested.ends.length} partitions are divided as ${counts.toSorted((a, b) => a - b)}`)
}

/** Members of share groups are told nothing: the broker's description is all there is. */
function judgeDescribed(history, rested, violate) {
  const described = history.filter(({ event }) => event === 'described')
  const held = new Set(described.at(-1)?.members.flatMap(({ partitions }) => partitions))
  rested?.ends.forEach((_, partition) => {
    if (!held.has(partition)) violate('no owner', `nobody is assigned partition ${partition} at rest`)
  })
  return { assignments: described.length, fenced: 0 }
}

function judgeConsumed(history) {
  const seen = new Map()
  let deliveries = 0
  for (const { event, records } of history) {
    if (event !== 'delivered') continue
    for (const [partition, offset, value] of records) {
      deliveries++
      see(seen, partition, offset, value)
    }
  }
  return { seen, deliveries, deliveryCountMax: 0 }
}

function see(seen, partition, offset, value) {
  if (!seen.has(partition)) seen.set(partition, new Map())
  seen.get(partition).set(offset, value)
}

/** Each delivery of a record is one member's alone, and what was accepted stays so. */
function judgeShared(history, { deliveriesMax }, violate) {
  const eraOf = eras(history)
  /** What somebody meant to accept: the others are not done with. */
  const seen = new Map()
  /** Record to its deliveries and its confirmed acceptance. */
  const records = new Map()
  const of = (partition, offset) => {
    const key = `${partition}@${offset}`
    if (!records.has(key)) records.set(key, { deliveries: [], accepted: [] })
    return records.get(key)
  }
  let deliveries = 0
  let deliveryCountMax = 0
  for (const event of history) {
    if (event.event === 'delivered') {
      for (const [partition, offset, value, count, choice] of event.records) {
        deliveries++
        deliveryCountMax = Math.max(deliveryCountMax, count)
        of(partition, offset).deliveries.push({ at: event.at, member: event.member, count })
        if (choice === 'accept') see(seen, partition, offset, value)
      }
    } else if (event.event === 'accepted') {
      for (const [partition, offset, count] of event.records)
        of(partition, offset).accepted.push({ at: event.at, member: event.member, count })
    }
  }
  for (const [record, { deliveries: all, accepted }] of records) {
    const holders = new Map()
    for (const { at, member, count } of all) {
      const era = eraOf(at)
      if (count > deliveriesMax) violate('delivered too often', `${record} to ${member}, delivery ${count}`)
      const holder = holders.get(`${era} ${count}`)
      // A count that the broker had not written down is given again after its death.
      if (era !== undefined && holder !== undefined)
        violate('held by two', `${record}, delivery ${count}: ${holder} and ${member} (${seconds(at)})`)
      holders.set(`${era} ${count}`, member)
      for (const acceptance of accepted) {
        const isLater = count > acceptance.count
        const isForgotten = era !== undefined && eraOf(acceptance.at) < era
        if (!isLater && !isForgotten) continue
        const past = `${record}, accepted by ${acceptance.member} at delivery ${acceptance.count}`
        violate(
          'back after it was accepted',
          `${past}, went to ${member} at delivery ${count} (${seconds(at)})`,
        )
      }
    }
  }
  return { seen, deliveries, deliveryCountMax }
}

/** Which life of the broker a moment belongs to; undefined when what happens then may come from either. */
function eras(history) {
  const kills = history.filter(({ event }) => event === 'broker-killed').map(({ at }) => at)
  const returns = history.filter(({ event }) => event === 'broker-back').map(({ at }) => at)
  return at => {
    const era = kills.filter(kill => kill < at).length
    return era > 0 && at < (returns[era - 1] ?? Infinity) + staleMsMax ? undefined : era
  }
}

/** Everything in the log was delivered, and everything acknowledged is in the log as it was sent. */
function judgeLosses(history, rested, seen, violate) {
  rested?.ends.forEach((end, partition) => {
    const missing = []
    for (let offset = 0; offset < end; offset++) if (!seen.get(partition)?.has(offset)) missing.push(offset)
    if (missing.length === 0) return
    const some = missing.slice(0, 5).join(', ')
    violate('lost record', `${missing.length} of partition ${partition}: offsets ${some}`)
  })
  for (const { event, records } of history) {
    if (event !== 'produced') continue
    for (const [partition, offset, value] of records) {
      const end = rested?.ends[partition] ?? Infinity
      const found = seen.get(partition)?.get(offset)
      if (offset >= end)
        violate('lost record', `${partition}@${offset} was acknowledged and the log ends at ${end}`)
      else if (found !== undefined && found !== value)
        violate('another record', `${partition}@${offset} is ${found}, and ${value} was acknowledged there`)
    }
  }
}

/** From when the broker knew of the last change to when the last member had heard all that follows from it. */
function judgeConvergence(history, rested, { protocol, heartbeatMs, convergenceIntervalsMax }, violate) {
  let noticedAt
  let convergedAt = 0
  let names = ''
  for (const event of history) {
    if (event.event === 'described') {
      const now = event.members
        .map(({ name }) => name)
        .toSorted()
        .join(' ')
      if (now !== names) noticedAt = event.at
      names = now
      if (protocol === 'share') convergedAt = event.at
    } else if (['assigned', 'revoked', 'lost'].includes(event.event)) convergedAt = event.at
  }
  if (rested !== undefined && names !== rested.members.toSorted().join(' '))
    violate('strangers in the group', `it has ${names}; still in are ${rested.members.toSorted().join(' ')}`)
  const intervals = Math.max(0, convergedAt - (noticedAt ?? Infinity)) / heartbeatMs
  if (intervals > convergenceIntervalsMax)
    violate(
      'slow convergence',
      `${intervals.toFixed(1)} heartbeat intervals after the last change was noticed`,
    )
  return intervals
}

const seconds = at => `at ${(at / 1000).toFixed(2)} s`
