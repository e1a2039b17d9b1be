// Who reads: unmodified clients, each by a program that tells what it reads and commits. `follow` is a member of a group that reads on
// and on and commits; `range` reads from one VLSN of a view to before another, and ends.
import { now } from './programs.mjs'

/** Between reading and committing, where a kill hurts most. */
const pauseMs = 20

/**
 * The programs of the clients whose own folders have one: {@link supervise} starts them. A member of the group that reads the
 * partitions speaks `protocol`.
 */
const own = (name, protocols) => ({
  folder: name,
  follow: ({ programs }, address, { topic, group, reads, isKilled }) => ({
    command: [
      ...programs['vlsn-reader'],
      'follow',
      address,
      topic,
      group,
      protocols[reads],
      String(isKilled ? pauseMs : 0),
    ],
  }),
  range: ({ programs }, address, topic, from, to) => ({
    command: [...programs['vlsn-reader'], 'range', address, topic, String(from), String(to)],
  }),
})

// Partition, offset, the key as the number that it is, the value, and an end that a line lacks which a kill cut short.
const format = ['-s', 'key=>q', '-f', '%p %o %k %s.\\n']

function recordOf(line) {
  const [, partition, offset, vlsn, value] = /^(\d+) (\d+) (-?\d+) (.*)\.$/.exec(line) ?? []
  return value === undefined ? undefined : [Number(partition), Number(offset), Number(vlsn), value]
}

/** kcat commits what it has read now and then, and does not say when. */
function read(line) {
  const record = recordOf(line)
  if (!record) return []
  const at = now()
  const [partition, offset] = record
  return [
    { at, event: 'read', records: [record] },
    { at, event: 'committing', offsets: [[partition, offset + 1]] },
  ]
}

const settings = {
  'auto.offset.reset': 'earliest',
  'auto.commit.interval.ms': '100',
  'session.timeout.ms': '3000',
  'heartbeat.interval.ms': '300',
  'fetch.wait.max.ms': '100',
  'topic.metadata.refresh.interval.ms': '1000',
}
const given = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])

const kcat = {
  folder: 'kcat',
  follow: (_client, address, { topic, group, isKilled, count }) => ({
    // What it has printed has left it when it is killed; else it is not told before it ends.
    command: [
      'kcat',
      '-b',
      address,
      '-q',
      ...(isKilled ? ['-u'] : ['-c', String(count)]),
      ...given,
      ...format,
      '-G',
      group,
      topic,
    ],
    parse: read,
  }),
  range: (_client, address, topic, from, to) => ({
    command: [
      'kcat',
      '-C',
      '-b',
      address,
      '-q',
      '-t',
      topic,
      '-o',
      String(from),
      '-c',
      String(to - from),
      ...format,
    ],
    parse: read,
  }),
}

/**
 * By the name that the command line takes: the client's folder, whose `prepare` makes `client`, and its programs.
 * `reads` is `view` or `partitions`.
 */
export const readers = {
  kafkajs: own('kafkajs', { view: 'classic', partitions: 'classic' }),
  java: own('java', { view: 'classic', partitions: 'consumer' }),
  kcat,
  'confluent-kafka': own('confluent-kafka', { view: 'classic', partitions: 'classic' }),
}
