// kafka-share-groups.
import { madeAt, noneSoLate, Place } from './kit.mjs'

const columns = 'GROUP TOPIC PARTITION START-OFFSET LAG'
const newOffsets = 'GROUP TOPIC PARTITION NEW-OFFSET'
const noMembers = "Share group 'g' has no active members."

/** Topics t of 6 and 4 records and u of 3, a share group g that begins with them, and the tool. */
async function prepare(context) {
  const place = new Place(context)
  const t = await place.topic('t', [6, 4])
  const u = await place.topic('u', [3])
  const group = place.name('g')
  await place.configure(group, 'share.auto.offset.reset=earliest')
  return { place, t, u, group, tool: place.tool('kafka-share-groups') }
}

async function describe(context) {
  const { place, t, u, group, tool } = await prepare(context)
  const leave = await place.join('share', group, [t, u], { records: 13 })
  const of = ['--describe', '--group', group]
  // The start on disk is the one of here, or one that Apache Kafka has not written down yet; the lag is the same.
  const offsets = /^GROUP TOPIC PARTITION START-OFFSET LAG\ng t 0 [06] 0\ng t 1 [04] 0\ng u 0 [03] 0/
  await tool.says(of, offsets)
  await tool.says([...of, '--offsets'], offsets)
  await tool.says(
    [...of, '--offsets', '--verbose'],
    /^GROUP TOPIC PARTITION LEADER-EPOCH START-OFFSET LAG\ng t 0 0 [06] 0\ng t 1 0 [04] 0\ng u 0 0 [03] 0$/,
  )
  await tool.prints(
    [...of, '--members'],
    ['GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS ASSIGNMENT', 'g ID /127.0.0.1 one 3 t:0,1;u:0'],
  )
  await tool.says(
    [...of, '--members', '--verbose'],
    /^GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS MEMBER-EPOCH ASSIGNMENT\ng ID \/127\.0\.0\.1 one 3 \d t:0,1;u:0$/,
  )
  await tool.prints([...of, '--state'], ['GROUP COORDINATOR (ID) STATE #MEMBERS', 'g BROKER Stable 1'])
  await tool.says(
    [...of, '--state', '--verbose'],
    /^GROUP COORDINATOR \(ID\) STATE GROUP-EPOCH ASSIGNMENT-EPOCH #MEMBERS\ng BROKER Stable (\d) \1 1$/,
  )
  await tool.lists(['--describe', '--all-groups', '--state'], ['g BROKER Stable 1'])
  await tool.lists(['--describe', '--all-groups', '--members'], ['g ID /127.0.0.1 one 3 t:0,1;u:0'])
  await leave()
  await tool.prints([...of, '--members'], [noMembers])
  await tool.prints(
    [...of, '--state'],
    ['GROUP COORDINATOR (ID) STATE #MEMBERS', 'g BROKER Empty 0', noMembers],
  )
  const nobody = place.name('nobody')
  for (const view of [[], ['--members'], ['--state']]) {
    await tool.says(
      ['--describe', '--group', nobody, ...view],
      /GroupIdNotFoundException: Group nobody not found\./,
    )
  }
}

async function reset(context) {
  const { place, t, u, group, tool } = await prepare(context)
  const leave = await place.join('share', group, [t, u], { records: 13 })
  const resetting = ['--reset-offsets', '--group', group]
  const onT = ['--topic', t]
  await tool.says([...resetting, ...onT, '--to-earliest', '--execute'], /Share group 'g' is not empty\./, 1)
  await leave()
  const dry = (how, lines) => tool.prints([...resetting, ...how, '--dry-run'], lines)
  const execute = (how, lines) => tool.prints([...resetting, ...how, '--execute'], lines)
  const starts = lines => tool.prints(['--describe', '--group', group], [columns, ...lines])
  const inT = (first, second) => [newOffsets, `g t 0 ${first}`, `g t 1 ${second}`]
  await dry([...onT, '--to-earliest'], inT(0, 0))
  await execute(['--all-topics', '--to-latest'], [...inT(6, 4), 'g u 0 3'])
  await starts(['g t 0 6 0', 'g t 1 4 0', 'g u 0 3 0'])
  await execute(['--topic', `${t}:0`, '--to-earliest'], [newOffsets, 'g t 0 0'])
  await starts(['g t 0 0 6', 'g t 1 4 0', 'g u 0 3 0'])
  await execute([...onT, '--to-datetime', madeAt(3).toISOString()], inT(3, 3))
  await starts(['g t 0 3 3', 'g t 1 3 1', 'g u 0 3 0'])
  await dry(
    [...onT, '--to-datetime', '2099-01-01T00:00:00.000'],
    [...inT(6, 4), noneSoLate(0), noneSoLate(1)],
  )
  await tool.says(
    [...resetting, '--topic', `${t}:7`, '--to-earliest', '--execute'],
    /The partitions "t-7" do not exist/,
  )
  await tool.says(
    [...resetting, '--topic', place.name('nosuch'), '--to-earliest', '--execute'],
    /This server does not host this topic-partition/,
  )
  await tool.says([...resetting, ...onT, '--to-earliest'], /takes the option: \[execute\] or \[dry-run\]/, 1)
  // The group reads on from there.
  await place.join('share', group, [t, u], { name: 'two', records: 4 })
  // A group that nobody has been in yet.
  const other = place.name('other')
  await tool.prints(
    ['--reset-offsets', '--group', other, '--topic', u, '--to-earliest', '--execute'],
    [newOffsets, 'other u 0 0'],
  )
  await tool.prints(['--describe', '--group', other], [columns, 'other u 0 0 3'])
}

const deleting = (name, ...topics) => [
  '--delete-offsets',
  '--group',
  name,
  ...topics.flatMap(topic => ['--topic', topic]),
]

async function remove(context) {
  const { place, t, u, group, tool } = await prepare(context)
  const leave = await place.join('share', group, [t, u], { records: 13 })
  const status = 'TOPIC STATUS'
  const nobody = place.name('nobody')
  await tool.prints(deleting(group, t), [
    'Error: The group is not empty.',
    status,
    't Error: The group is not empty.',
  ])
  await tool.prints(deleting(nobody, t), [
    'Error: Group nobody not found.',
    status,
    't Error: Group nobody not found.',
  ])
  await tool.says(
    ['--delete', '--group', group],
    /Group 'g' could not be deleted due to: .*: Share group 'g' is not EMPTY\./,
  )
  await leave()
  await tool.prints(deleting(group, t, u), [status, 't Successful', 'u Successful'])
  await tool.prints(deleting(group, t), [status, 't Error: There is no offset information to delete.'])
  await tool.prints(deleting(group, place.name('nosuch')), [
    status,
    'nosuch Error: This server does not host this topic-partition.',
  ])
  await tool.prints(['--describe', '--group', group], ["Share group 'g' has no offset information."])
  const again = await place.join('share', group, [t, u], { name: 'two', records: 13 })
  await again()
  await tool.says(
    ['--delete', '--group', group, '--group', nobody],
    /Group 'nobody' could not be deleted due to: .*: Group 'nobody' is not a share group\.\nThese share groups were deleted successfully: 'g'$/,
  )
  await tool.lists(['--list'], [])
  const other = place.name('other')
  await tool.says(
    ['--reset-offsets', '--group', other, '--topic', u, '--to-latest', '--execute'],
    /^other u 0 3$/m,
  )
  await tool.says(['--delete', '--all-groups'], /successful.*'other'|\('other'|'other'.*successful/)
  await tool.lists(['--list'], [])
}

export const shareGroupScenarios = {
  'tools-share-group-describe': describe,
  'tools-share-group-reset': reset,
  'tools-share-group-delete': remove,
}
