// kafka-consumer-groups on a group of the classic and of the consumer protocol.
import { madeAt, noneSoLate, Place } from './kit.mjs'

const columns = 'GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID'
const verboseColumns = columns.replace('PARTITION', 'PARTITION LEADER-EPOCH')
const newOffsets = 'GROUP TOPIC PARTITION NEW-OFFSET'
const errors = 'org.apache.kafka.common.errors'
const noMembers = "Consumer group 'g' has no active members."

/** What the tool says of a member differs by its protocol. */
const kinds = {
  classic: { id: 'one-ID', assignor: 'range', epochs: '', verbose: '- t:0,1;u:0 - -', emptyAssignor: '-' },
  consumer: {
    id: 'ID',
    assignor: 'uniform',
    epochs: '2 2',
    verbose: '2 t:0,1;u:0 2 t:0,1;u:0',
    emptyAssignor: 'uniform',
  },
}

/** Topics t of 10 and 5 records and u of 3, a group g, and the tool. */
async function prepare(context) {
  const place = new Place(context)
  const t = await place.topic('t', [10, 5])
  const u = await place.topic('u', [3])
  const group = place.name('g')
  return { place, t, u, group, tool: place.tool('kafka-consumer-groups') }
}

function describe(kind) {
  const { id, assignor, epochs, verbose, emptyAssignor } = kinds[kind]
  return async context => {
    const { place, t, u, group, tool } = await prepare(context)
    const leave = await place.join(kind, group, [t, u], { records: 18 })
    const of = ['--describe', '--group', group]
    const member = `${id} /127.0.0.1 one`
    const offsets = ['g t 0 10 10 0', 'g t 1 5 5 0', 'g u 0 3 3 0']
    await tool.prints(of, [columns, ...offsets.map(row => `${row} ${member}`)])
    await tool.prints(
      [...of, '--offsets', '--verbose'],
      [verboseColumns, ...offsets.map(row => `${row.replace(/ (\d) /, ' $1 0 ')} ${member}`)],
    )
    await tool.prints([...of, '--members'], ['GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS', `g ${member} 3`])
    await tool.prints(
      [...of, '--members', '--verbose'],
      [
        'GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS CURRENT-EPOCH CURRENT-ASSIGNMENT TARGET-EPOCH TARGET-ASSIGNMENT',
        `g ${member} 3 ${verbose}`,
      ],
    )
    await tool.prints(
      [...of, '--state'],
      ['GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS', `g BROKER ${assignor} Stable 1`],
    )
    if (kind === 'consumer') {
      await tool.prints(
        [...of, '--state', '--verbose'],
        [
          'GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE GROUP-EPOCH TARGET-ASSIGNMENT-EPOCH #MEMBERS',
          `g BROKER ${assignor} Stable ${epochs} 1`,
        ],
      )
    }
    await tool.lists(
      ['--describe', '--all-groups'],
      offsets.map(row => `${row} ${member}`),
    )
    await tool.lists(['--describe', '--all-groups', '--state'], [`g BROKER ${assignor} Stable 1`])
    await tool.lists(['--describe', '--all-groups', '--members'], [`g ${member} 3`])

    await leave()
    await tool.prints(of, [columns, ...offsets.map(row => `${row} - - -`), noMembers])
    await tool.prints([...of, '--members'], ['GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS', noMembers])
    await tool.prints(
      [...of, '--state'],
      [
        'GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS',
        `g BROKER ${emptyAssignor} Empty 0`,
        noMembers,
      ],
    )
  }
}

function reset(kind) {
  return async context => {
    const { place, t, u, group, tool } = await prepare(context)
    const leave = await place.join(kind, group, [t, u], { records: 18 })
    const resetting = ['--reset-offsets', '--group', group]
    await tool.prints(
      [...resetting, '--topic', t, '--to-earliest', '--execute'],
      [
        "Error: Assignments can only be reset if the group 'g' is inactive, but the current state is Stable.",
        newOffsets,
      ],
    )
    await leave()
    const inT = (first, second) => [newOffsets, `g t 0 ${first}`, `g t 1 ${second}`]
    const dry = (how, lines) => tool.prints([...resetting, ...how, '--dry-run'], lines)
    const execute = (how, lines) => tool.prints([...resetting, ...how, '--execute'], lines)
    const onT = ['--topic', t]
    await dry([...onT, '--to-earliest'], inT(0, 0))
    await execute([...onT, '--shift-by', '-2'], inT(8, 3))
    await dry([...onT, '--shift-by', '100'], inT(10, 5))
    await dry(['--all-topics', '--to-current'], [...inT(8, 3), 'g u 0 3'])
    await execute(['--topic', `${t}:0`, '--to-offset', '4'], [newOffsets, 'g t 0 4'])
    await execute(['--topic', `${t}:1`, '--to-offset', '99'], [newOffsets, 'g t 1 5'])
    await execute([...onT, '--by-duration', 'PT1H'], inT(3, 3))
    await dry([...onT, '--by-duration', 'P1D'], inT(0, 0))
    await execute([...onT, '--to-datetime', madeAt(1).toISOString()], inT(1, 1))
    await dry([...onT, '--to-datetime', madeAt(4).toISOString().slice(0, -1)], inT(4, 4))
    await dry(
      [...onT, '--to-datetime', '2099-01-01T00:00:00.000'],
      [...inT(10, 5), noneSoLate(0), noneSoLate(1)],
    )
    await dry([...onT, '--to-offset', '2', '--export'], ['t,0,2', 't,1,2'])
    await execute([...onT, '--topic', u, '--to-latest', '--export'], ['t,0,10', 't,1,5', 'u,0,3'])
    const plan = await place.file([`${t},0,3`, `${t},1,2`])
    await dry(['--from-file', plan], inT(3, 2))
    await execute(['--from-file', plan], inT(3, 2))
    const left = ['g t 0 3 10 7 - - -', 'g t 1 2 5 3 - - -', 'g u 0 3 3 0 - - -']
    await tool.prints(['--describe', '--group', group], [columns, ...left, noMembers])

    // A group that nobody has been in yet, the same as every other one, and two by one file.
    const other = place.name('other')
    await tool.prints(
      ['--reset-offsets', '--group', other, '--topic', t, '--to-latest', '--execute'],
      [newOffsets, 'other t 0 10', 'other t 1 5'],
    )
    await tool.lists(
      ['--reset-offsets', '--all-groups', '--topic', `${t}:0`, '--to-offset', '1', '--execute'],
      ['g t 0 1', 'other t 0 1'],
    )
    const both = await place.file([`${group},${t},0,5`, `${other},${t},1,1`])
    await execute(['--group', other, '--from-file', both], [newOffsets, 'g t 0 5', 'other t 1 1'])
    await execute(['--all-topics', '--to-earliest'], [...inT(0, 0), 'g u 0 0'])
  }
}

function remove(kind) {
  return async context => {
    const { place, t, u, group, tool } = await prepare(context)
    const leave = await place.join(kind, group, [t, u], { records: 18 })
    const other = place.name('other')
    const status = 'TOPIC PARTITION STATUS'
    const done = 'Request succeeded for deleting offsets from group g.'
    const deleting = (...topics) => [
      '--delete-offsets',
      '--group',
      group,
      ...topics.flatMap(topic => ['--topic', topic]),
    ]
    const failed = 'Error: Encountered some partition-level error, see the follow-up details.'
    const subscribed = `Error: ${errors}.GroupSubscribedToTopicException: Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.`
    await tool.prints(deleting(t), [failed, status, `t 0 ${subscribed}`, `t 1 ${subscribed}`])
    await tool.prints(
      ['--delete', '--group', group],
      [
        'Error: Deletion of some consumer groups failed:',
        `* Group 'g' could not be deleted due to: ${errors}.GroupNotEmptyException: The group is not empty.`,
      ],
    )
    await leave()
    await tool.prints(deleting(`${t}:0`), [done, status, 't 0 Successful'])
    await tool.prints(
      ['--describe', '--group', group],
      [columns, 'g t 1 5 5 0 - - -', 'g u 0 3 3 0 - - -', noMembers],
    )
    await tool.prints(deleting(t, u), [done, status, 't 0 Successful', 't 1 Successful', 'u 0 Successful'])
    await tool.prints(['--describe', '--group', group], [noMembers])
    const unhosted = `Error: ${errors}.UnknownTopicOrPartitionException: This server does not host this topic-partition.`
    await tool.prints(deleting(`${t}:9`), [failed, status, `t 9 ${unhosted}`])
    await tool.prints(deleting(place.name('nosuch')), [done, status, `nosuch - ${unhosted}`])
    await tool.says(
      ['--reset-offsets', '--group', other, '--topic', t, '--to-latest', '--execute'],
      /^other t 0 10$/m,
    )
    await tool.says(
      ['--delete', '--group', group, '--group', other, '--group', place.name('nobody')],
      /^Error: Deletion of some consumer groups failed:\n\* Group 'nobody' could not be deleted due to: .*GroupIdNotFoundException: The group id does not exist\.\nThese consumer groups were deleted successfully: '(g', 'other|other', 'g)'$/,
    )
    await tool.lists(['--list'], [])
  }
}

/** Groups that are not there, or are somebody else's; topics and partitions that are not there. */
async function mistakes(context) {
  const { place, t, group, tool } = await prepare(context)
  const isMissing = /GroupIdNotFoundException: Group nobody not found\./
  const nobody = place.name('nobody')
  for (const view of [[], ['--members'], ['--state']]) {
    await tool.says(['--describe', '--group', nobody, ...view], isMissing)
  }
  await tool.prints(
    ['--delete-offsets', '--group', nobody, '--topic', `${t}:0`],
    [
      'Error: The group id does not exist.',
      'TOPIC PARTITION STATUS',
      't 0 Error: org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.',
    ],
  )
  const resetting = ['--reset-offsets', '--group', group, '--to-earliest', '--dry-run']
  await tool.says([...resetting, '--topic', `${t}:7`], /The partitions "t-7" do not exist/)
  await tool.says(
    [...resetting, '--topic', place.name('nosuch')],
    /This server does not host this topic-partition/,
  )
  await tool.says(resetting, /One of the reset scopes should be defined: --all-topics, --topic/, 1)
  await tool.says(['--list', '--describe'], /Option \[describe\] takes one of these options/, 1)

  const shared = place.name('shared')
  await place.join('share', shared, [t])
  await tool.says(
    ['--describe', '--group', shared],
    /GroupIdNotFoundException: Group shared is not a consumer group\./,
  )
  await tool.says(['--delete', '--group', shared], /GroupNotEmptyException: The group is not empty\./)
  await tool.says(
    ['--reset-offsets', '--group', shared, '--topic', `${t}:0`, '--to-earliest', '--execute'],
    /Failed altering group offsets for the following partitions: \[t-0\]/,
  )
}

export const consumerGroupScenarios = {
  ...Object.fromEntries(
    Object.keys(kinds).flatMap(kind => [
      [`tools-${kind}-group-describe`, describe(kind)],
      [`tools-${kind}-group-reset`, reset(kind)],
      [`tools-${kind}-group-delete`, remove(kind)],
    ]),
  ),
  'tools-consumer-group-errors': mistakes,
}
