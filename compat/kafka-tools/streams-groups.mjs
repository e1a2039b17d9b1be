// kafka-streams-groups, on an application with a repartition topic and a changelog.
import assert from 'node:assert/strict'
import { eventually } from '../scenarios.mjs'
import { madeAt, noneSoLate, Place } from './kit.mjs'

const newOffsets = 'GROUP TOPIC PARTITION NEW-OFFSET'
const noMembers = "Error: Streams group 'app' has no active members."

const noLags = [
  'app app-by-value-repartition 0 0',
  'app app-by-value-repartition 1 0',
  'app t 0 0',
  'app t 1 0',
]

/** A topic t of 6 and 4 records, a streams group app that has read it (and committed that: it does so every 100 ms), and the tool. */
async function prepare(context) {
  const place = new Place(context)
  const t = await place.topic('t', [6, 4])
  const group = place.name('app')
  const leave = await place.join('streams', group, [t])
  const tool = place.tool('kafka-streams-groups')
  const isDone = () =>
    tool.prints(['--describe', '--group', group], ['GROUP TOPIC PARTITION OFFSET-LAG', ...noLags]).then(
      () => true,
      () => false,
    )
  await eventually('the application has read its input', isDone)
  return { place, t, group, leave, tool }
}

async function describe(context) {
  const { place, group, leave, tool } = await prepare(context)
  const of = ['--describe', '--group', group]
  // Values v0, v1, v2 are counted by themselves: three in one partition, seven in the other.
  await tool.prints(
    [...of, '--offsets', '--verbose'],
    [
      'GROUP TOPIC PARTITION CURRENT-OFFSET LEADER-EPOCH LOG-END-OFFSET OFFSET-LAG',
      'app app-by-value-repartition 0 7 0 7 0',
      'app app-by-value-repartition 1 3 0 3 0',
      'app t 0 6 0 6 0',
      'app t 1 4 0 4 0',
    ],
  )
  const member = 'app ID ID in-app-StreamThread-1-consumer ACTIVE: 0:[0,1]; 1:[0,1];'
  await tool.prints([...of, '--members'], ['GROUP MEMBER PROCESS CLIENT-ID ASSIGNMENTS', member])
  await tool.says(
    [...of, '--members', '--verbose'],
    /^GROUP TARGET-ASSIGNMENT-EPOCH TOPOLOGY-EPOCH MEMBER MEMBER-PROTOCOL MEMBER-EPOCH PROCESS CLIENT-ID ASSIGNMENTS\napp (\d) 0 ID streams \1 ID in-app-StreamThread-1-consumer ACTIVE: 0:\[0,1\]; 1:\[0,1\]; TARGET-ACTIVE: 0:\[0,1\]; 1:\[0,1\];$/,
  )
  await tool.prints([...of, '--state'], ['GROUP COORDINATOR (ID) STATE #MEMBERS', 'app BROKER Stable 1'])
  await tool.says(
    [...of, '--state', '--verbose'],
    /^GROUP COORDINATOR \(ID\) STATE GROUP-EPOCH TARGET-ASSIGNMENT-EPOCH #MEMBERS\napp BROKER Stable (\d) \1 1$/,
  )
  await tool.lists(['--describe', '--all-groups'], noLags)
  await tool.lists(['--describe', '--all-groups', '--state'], ['app BROKER Stable 1'])
  await tool.lists(['--describe', '--all-groups', '--members'], [member])
  await leave()
  await tool.prints(of, [])
  await tool.prints([...of, '--members'], [])
  await tool.prints(
    [...of, '--state'],
    ['GROUP COORDINATOR (ID) STATE #MEMBERS', 'app BROKER Empty 0', noMembers],
  )
  const nobody = place.name('nobody')
  for (const view of [[], ['--members'], ['--state']]) {
    await tool.says(
      ['--describe', '--group', nobody, ...view],
      /GroupIdNotFoundException: Group nobody not found\./,
      1,
    )
  }
}

async function reset(context) {
  const { place, t, group, leave, tool } = await prepare(context)
  const resetting = ['--reset-offsets', '--group', group]
  const onT = ['--input-topic', t]
  await tool.prints(
    [...resetting, ...onT, '--to-earliest', '--execute'],
    [
      "Error: Assignments can only be reset if the group 'app' is inactive, but the current state is Stable.",
      newOffsets,
    ],
  )
  await leave()
  const dry = (how, lines) => tool.prints([...resetting, ...how, '--dry-run'], lines)
  const execute = (how, lines) => tool.prints([...resetting, ...how, '--execute'], lines)
  const inT = (first, second) => [newOffsets, `app t 0 ${first}`, `app t 1 ${second}`]
  await dry([...onT, '--to-earliest'], inT(0, 0))
  await dry(['--all-input-topics', '--to-current'], inT(6, 4))
  await execute(['--input-topic', `${t}:0`, '--to-offset', '2'], [newOffsets, 'app t 0 2'])
  await execute(['--all-input-topics', '--shift-by', '-1'], inT(1, 3))
  await dry([...onT, '--shift-by', '100'], inT(6, 4))
  await dry([...onT, '--to-latest'], inT(6, 4))
  await dry([...onT, '--by-duration', 'PT1H'], inT(3, 3))
  await dry([...onT, '--to-datetime', madeAt(1).toISOString()], inT(1, 1))
  await dry(
    [...onT, '--to-datetime', '2099-01-01T00:00:00.000'],
    [...inT(6, 4), noneSoLate(0), noneSoLate(1)],
  )
  await dry([...onT, '--to-offset', '2', '--export'], ['t,0,2', 't,1,2'])
  const plan = await place.file([`${t},0,3`, `${t},1,2`])
  await execute(['--from-file', plan], inT(3, 2))
  await dry(['--all-input-topics', '--to-current'], inT(3, 2))

  const foreign = await place.topic('foreign', [1])
  await dry(
    ['--input-topic', foreign, '--to-earliest'],
    ["Error: One or more topics are not part of the group 'app'.", newOffsets],
  )
  await tool.says(
    [...resetting, '--input-topic', `${t}:9`, '--to-earliest', '--dry-run'],
    /The partitions "t-9" do not exist/,
    1,
  )
  await tool.says(
    [...resetting, '--input-topic', place.name('nosuch'), '--to-earliest', '--dry-run'],
    /This server does not host this topic-partition/,
    1,
  )
  await tool.says([...resetting, ...onT, '--to-earliest'], /takes the option: \[execute\] or \[dry-run\]/, 1)

  const internal = ['app-by-value-repartition', 'app-counts-changelog']
  assert.deepEqual(await place.topics(), [...internal, 'foreign', 't'])
  await execute(
    [...onT, '--to-earliest', '--delete-internal-topic', `${group}-by-value-repartition`],
    inT(0, 0),
  )
  await topicsAre(place, ['app-counts-changelog', 'foreign', 't'])
  // It starts again, makes what is missing, and counts from the beginning.
  await (
    await place.join('streams', group, [t], { name: 'two' })
  )()
  await topicsAre(place, [...internal, 'foreign', 't'])
  await execute([...onT, '--to-earliest', '--delete-all-internal-topics'], inT(0, 0))
  await topicsAre(place, ['foreign', 't'])
}

/** Apache Kafka's metadata lags behind its answers. */
const topicsAre = (place, topics) => {
  let seen
  return eventually(`topics ${topics}`, async () => `${(seen = await place.topics())}` === `${topics}`, {
    state: () => `but ${seen}`,
  })
}

async function remove(context) {
  const { place, t, group, leave, tool } = await prepare(context)
  const deleting = (...topics) => [
    '--delete-offsets',
    '--group',
    group,
    ...topics.flatMap(topic => ['--input-topic', topic]),
  ]
  const status = 'TOPIC PARTITION STATUS'
  const done = 'Request succeeded for deleting offsets from group app.'
  const failed = 'Error: Encountered some partition-level error, see the follow-up details.'
  const subscribed =
    'Error: org.apache.kafka.common.errors.GroupSubscribedToTopicException: Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.'
  await tool.prints(deleting(t), [failed, status, `t 0 ${subscribed}`, `t 1 ${subscribed}`])
  await tool.says(
    ['--delete', '--group', group],
    /Group 'app' could not be deleted due to: .*: Streams group 'app' is not EMPTY\./,
  )
  const nobody = place.name('nobody')
  await tool.says(
    ['--delete-offsets', '--group', nobody, '--input-topic', t],
    /^Error: The group id does not exist\.$[^]*^t 0 Error: .*GroupIdNotFoundException/m,
  )
  await leave()
  await tool.prints(deleting(`${t}:0`), [done, status, 't 0 Successful'])
  await tool.prints(
    ['--reset-offsets', '--group', group, '--all-input-topics', '--to-current', '--dry-run'],
    [newOffsets, 'app t 1 4'],
  )
  await tool.says(
    [...deleting(), '--all-input-topics'],
    /^Request succeeded for deleting offsets from group app\.$[^]*^t 1 Successful$/m,
  )
  await tool.says(
    ['--delete', '--group', group, '--group', nobody],
    /Group 'nobody' could not be deleted due to: .*: Group 'nobody' does not exist or is not a streams group\.\nThese streams groups were deleted successfully: 'app'\.$/,
  )
  await tool.lists(['--list'], [])
  assert.deepEqual(await place.topics(), ['app-by-value-repartition', 'app-counts-changelog', 't'])

  const other = place.name('other')
  await (
    await place.join('streams', other, [t], { name: 'two' })
  )()
  await tool.says(
    ['--delete', '--all-groups', '--delete-all-internal-topics'],
    /^Deletion of requested streams groups \(.*'other'.*\) was successful\.$/m,
  )
  await tool.lists(['--list'], [])
  await topicsAre(place, ['app-by-value-repartition', 'app-counts-changelog', 't'])
}

export const streamsGroupScenarios = {
  'tools-streams-group-describe': describe,
  'tools-streams-group-reset': reset,
  'tools-streams-group-delete': remove,
}
