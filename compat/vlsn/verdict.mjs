// What must hold of numbered records and their readers, whatever is killed: found after the fact. The types and the meaning of
// every event are in verdict.d.mts.

/** How many of one kind to tell; the rest is counted. */
const exampleCountMax = 5

/** @type {import('./verdict.d.mts').findFaults} */
export function findFaults(unsorted, stored) {
  const history = unsorted.toSorted((a, b) => a.at - b.at)
  const faults = openFaults()
  judgeView(stored, faults.add)
  judgeWrites(history, stored.view, faults.add)
  judgeEnds(history, faults.add)
  const groups = {
    view: new Reader('view', [stored.view], { isExact: true, add: faults.add }),
    partitions: new Reader('partitions', stored.partitions, { isExact: false, add: faults.add }),
  }
  for (const event of history) {
    if (event.group !== undefined) groups[event.group].take(event)
    else for (const group of Object.values(groups)) group.hear(event)
  }
  for (const group of Object.values(groups)) group.conclude()
  const figures = Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, group.figures]))
  return { faults: faults.told(), figures }
}

function openFaults() {
  const byKind = new Map()
  const add = (kind, what) => {
    if (!byKind.has(kind)) byKind.set(kind, [])
    byKind.get(kind).push(what)
  }
  const told = () =>
    [...byKind].flatMap(([kind, all]) => {
      const rest = all.length - exampleCountMax
      const some = all.slice(0, exampleCountMax).map(what => ({ kind, what }))
      return rest > 0 ? [...some, { kind, what: `and ${rest} more` }] : some
    })
  return { add, told }
}

/** The partitions' records in the order of their VLSNs, each at the offset that is its VLSN. */
function judgeView({ partitions, view }, add) {
  const sorted = partitions.flat().toSorted(([, , one], [, , other]) => one - other)
  for (const [partition, offset, vlsn] of partitions.flat())
    if (vlsn % partitions.length !== partition) add('wrong view', `${vlsn} lies at ${partition}@${offset}`)
  for (const [, offset, vlsn] of view)
    if (offset !== vlsn) add('wrong view', `the view has ${vlsn} at ${offset}`)
  const index = sorted.findIndex((record, at) => !isSame(record, view[at]))
  if (index >= 0 || view.length !== sorted.length) {
    const at = index < 0 ? sorted.length : index
    add('wrong view', `record ${at} is ${text(view[at])}, and ${text(sorted[at])} by the partitions`)
  }
}

const isSame = (one, other) => one?.[2] === other?.[2] && one?.[3] === other?.[3]
const text = record => (record === undefined ? 'missing' : `${record[2]}:${record[3]}`)

/** What was acknowledged is there, and what is there was written, once. */
function judgeWrites(history, view, add) {
  const attempted = new Set()
  for (const { event, values } of history)
    if (event === 'writing') for (const value of values) attempted.add(value)
  const values = new Map()
  const seen = new Set()
  for (const [, , vlsn, value] of view) {
    values.set(vlsn, value)
    if (!attempted.has(value)) add('value from nowhere', `${vlsn}:${value}`)
    if (seen.has(value)) add('value twice', `${value}, the second time at ${vlsn}`)
    seen.add(value)
  }
  for (const { event, records } of history) {
    if (event !== 'written') continue
    for (const [vlsn, value] of records) {
      const found = values.get(vlsn)
      if (found === undefined) add('lost record', `${vlsn}:${value} was acknowledged`)
      else if (found !== value)
        add('another record', `${vlsn} is ${found}, and ${value} was acknowledged there`)
    }
  }
}

function judgeEnds(history, add) {
  let last = 0
  for (const { event, end } of history) {
    if (event !== 'view-end') continue
    if (end < last) add('end went back', `the view ended at ${end} after ${last}`)
    last = end
  }
}

/** What is known of one group while its history is gone through, and what it may do. */
class Reader {
  #name
  #partitions
  #isExact
  #add
  /** By partition: the place of each offset. */
  #places
  /** By partition: the place after the last one that was ever read. */
  #readTo
  /** By partition: the place that follows in this process; undefined where it begins. */
  #next
  /** By partition: where a process that begins has to go on, if that was told. */
  #resumeAt
  /** By partition: the greatest place that was sent as a commit, and the last that was acknowledged. */
  #attempted
  #acknowledged
  #committing
  /** By partition what was committed in this life of the broker. */
  #heard = new Map()
  #numberLeast = 0
  /** The same when a partition was last read in this process, or when that began: where to go on is asked at some time after it. */
  #numberBefore
  #viewEnd = 0
  #brokerBackAt = 0
  #figures = { sessions: 0, deliveries: 0, resumes: 0, repeats: 0, repeatsMax: 0 }

  constructor(name, partitions, { isExact, add }) {
    this.#name = name
    this.#partitions = partitions
    this.#isExact = isExact
    this.#add = add
    this.#places = partitions.map(records => new Map(records.map(([, offset], place) => [offset, place])))
    this.#readTo = partitions.map(() => 0)
    this.#attempted = partitions.map(() => 0)
    this.#acknowledged = partitions.map(() => 0)
    this.#resumeAt = partitions.map(() => undefined)
    this.#next = partitions.map(() => undefined)
    this.#numberBefore = partitions.map(() => 0)
  }

  get figures() {
    return this.#figures
  }

  hear({ event, at, end }) {
    if (event === 'view-end') this.#viewEnd = Math.max(this.#viewEnd, end)
    // What was committed above the number the broker kept in memory alone.
    if (event === 'broker-killed' || event === 'broker-back') this.#heard.clear()
    if (event === 'broker-back') this.#brokerBackAt = at
  }

  take(event) {
    switch (event.event) {
      case 'started':
        this.#figures.sessions++
        this.#next.fill(undefined)
        this.#numberBefore.fill(this.#numberLeast)
        this.#committing = undefined
        break
      case 'read':
        for (const record of event.records) this.#read(record)
        break
      case 'committing':
        this.#commit(event)
        break
      case 'committed':
        this.#committed()
        break
      case 'told':
        this.#told(event)
        break
    }
  }

  #read([partition, offset, vlsn, value]) {
    this.#figures.deliveries++
    const place = this.#places[partition].get(offset)
    const found = place === undefined ? undefined : this.#partitions[partition][place]
    if (found?.[2] !== vlsn || found[3] !== value) {
      const where = `${this.#at(partition)}@${offset}`
      return this.#add('changed under a reader', `${where} was ${vlsn}:${value}, and is ${text(found)}`)
    }
    if (place !== this.#next[partition]) this.#resume(partition, place)
    this.#next[partition] = place + 1
    this.#numberBefore[partition] = this.#numberLeast
    this.#readTo[partition] = Math.max(this.#readTo[partition], place + 1)
  }

  /** A process goes on at this place, which does not follow from what it has read. */
  #resume(partition, place) {
    const where = `${this.#at(partition)} went on at ${text(this.#partitions[partition][place])}`
    const told = this.#next[partition] === undefined ? this.#resumeAt[partition] : undefined
    this.#resumeAt[partition] = undefined
    if (told !== undefined && place !== told)
      this.#add('another place', `${where}, and was told ${text(this.#partitions[partition][told])}`)
    if (place > this.#attempted[partition])
      this.#add(
        'skipped',
        `${where}, and had committed to ${this.#textAt(partition, this.#attempted[partition])}`,
      )
    const least = this.#least(partition, this.#numberBefore[partition])
    if (place < least)
      this.#add('repeated', `${where}, and had committed to ${this.#textAt(partition, least)}`)
    const repeats = Math.max(0, this.#readTo[partition] - place)
    if (this.#readTo[partition] > 0) this.#figures.resumes++
    this.#figures.repeats += repeats
    this.#figures.repeatsMax = Math.max(this.#figures.repeatsMax, repeats)
  }

  /** The first place at which the group may go on, where the number is not below `number`. */
  #least(partition, number) {
    return this.#isExact ? this.#acknowledged[partition] : this.#placeOfVlsn(partition, number)
  }

  #commit({ at, offsets }) {
    const places = offsets.map(([partition, offset]) => [partition, this.#placeOf(partition, offset)])
    for (const [partition, place] of places) {
      if (place > this.#readTo[partition])
        this.#add('committed what was not read', `${this.#at(partition)}: ${this.#textAt(partition, place)}`)
      this.#attempted[partition] = Math.max(this.#attempted[partition], place)
      this.#lower(partition, place)
    }
    this.#committing = { at, places, viewEnd: this.#viewEnd }
  }

  /** Who was told to read again commits again, which may be lower than what the number has taken into account by then. */
  #lower(partition, place) {
    this.#numberLeast = Math.min(this.#numberLeast, this.#openBehind(partition, place))
    if (place < this.#heard.get(partition)) this.#heard.set(partition, place)
  }

  /** The least VLSN that may be open in a partition that is committed to this place: one stride behind the last that is. */
  #openBehind(partition, place) {
    return place === 0 ? 0 : this.#partitions[partition][place - 1][2] + this.#partitions.length
  }

  #committed() {
    const { at, places, viewEnd } = this.#committing
    for (const [partition, place] of places) this.#acknowledged[partition] = place
    if (this.#isExact || at < this.#brokerBackAt) return
    for (const [partition, place] of places) this.#heard.set(partition, place)
    if (this.#heard.size < this.#partitions.length) return
    const opens = [...this.#heard].map(([partition, place]) => this.#openBehind(partition, place))
    this.#numberLeast = Math.max(this.#numberLeast, Math.min(viewEnd, ...opens))
  }

  #told({ offsets, number }) {
    if (!this.#isExact) this.#checkNumber(number)
    for (const [partition, offset] of offsets) {
      const place = this.#placeOf(partition, Math.max(0, offset))
      const where = `${this.#at(partition)} is told ${this.#textAt(partition, place)}`
      if (place > this.#attempted[partition])
        this.#add(
          'skipped',
          `${where}, and had committed to ${this.#textAt(partition, this.#attempted[partition])}`,
        )
      const least = this.#least(partition, this.#numberLeast)
      if (place < least)
        this.#add('repeated', `${where}, and had committed to ${this.#textAt(partition, least)}`)
      if (!this.#isExact && number >= 0 && place !== this.#placeOfVlsn(partition, number))
        this.#add('another place', `${where}, and the number is ${number}`)
      this.#resumeAt[partition] = place
      this.#acknowledged[partition] = place
    }
  }

  #checkNumber(number) {
    if (Math.max(0, number) < this.#numberLeast)
      this.#add('number went back', `${number}, after everything below ${this.#numberLeast} was committed`)
    this.#numberLeast = Math.max(this.#numberLeast, number)
    for (const [partition, place] of this.#attempted.entries()) {
      const open = this.#partitions[partition][place]
      if (open !== undefined && open[2] < number)
        this.#add(
          'number not complete',
          `${number}, and ${this.#at(partition)} has not committed ${text(open)}`,
        )
    }
  }

  /** Everything was read, and committed. */
  conclude() {
    for (const [partition, records] of this.#partitions.entries()) {
      const { [partition]: readTo } = this.#readTo
      if (readTo < records.length)
        this.#add('never read', `${this.#at(partition)}: from ${text(records[readTo])} on`)
      else if (this.#acknowledged[partition] < records.length)
        this.#add(
          'never committed',
          `${this.#at(partition)}: from ${text(records[this.#acknowledged[partition]])} on`,
        )
    }
  }

  #at(partition) {
    return this.#name === 'view' ? 'the view' : `partition ${partition}`
  }

  #textAt(partition, place) {
    const record = this.#partitions[partition][place]
    return record === undefined ? 'its end' : text(record)
  }

  /** The place of the first record at or after an offset. */
  #placeOf(partition, offset) {
    return firstPlace(this.#partitions[partition], record => record[1] >= offset)
  }

  #placeOfVlsn(partition, number) {
    return firstPlace(this.#partitions[partition], record => record[2] >= number)
  }
}

/** By bisection; `holds` is true from some place on. */
function firstPlace(records, holds) {
  let [low, high] = [0, records.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(records[middle])) high = middle
    else low = middle + 1
  }
  return low
}

/** @type {import('./verdict.d.mts').openOrder} */
export function openOrder({ from, to }) {
  let next = from
  let first
  const take = records => {
    for (const [partition, offset, vlsn, value] of records) {
      const isRight = partition === 0 && offset === next && vlsn === next && value === String(next)
      if (!isRight) first ??= `${partition}@${offset} is ${vlsn}:${value}, where ${next} was expected`
      next++
    }
  }
  const faults = () => {
    if (first !== undefined) return [first]
    return next === to ? [] : [`it ends before ${next}, and not before ${to}`]
  }
  return {
    take,
    faults,
    get isWhole() {
      return next >= to
    },
  }
}
