import { expect, test } from 'vitest'
import { deleteGroups } from '../../src/broker/apis/42-delete-groups.ts'
import { listGroups } from '../../src/broker/apis/16-list-groups.ts'
import { streamsGroupDescribe } from '../../src/broker/apis/89-streams-group-describe.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { groupPlace, joinAlone } from '../support/group-requests.ts'
import { makeTopic } from '../support/requests.ts'
import { beatUntil, leaveOver } from '../support/streams-requests.ts'
import { internal, StreamsThread, subtopology, topology } from '../support/streams-scene.ts'
import type { WireClient } from '../support/wire-client.ts'

async function describeOf(client: WireClient, groupId: string, includeAuthorizedOperations = false) {
  const { groups } = await client.call(streamsGroupDescribe, 0, {
    groupIds: [groupId],
    includeAuthorizedOperations,
  })
  return { ...groups[0]!, error: errorName(groups[0]!.errorCode) }
}

test('tells of topology, members and tasks, and of an empty group until it is deleted', async () => {
  const { client, groupId } = await groupPlace()
  const { name } = await makeTopic(client, { partitions: 2 })
  const changelog = `${groupId}-counts-changelog`
  const counting = topology(
    subtopology('0', [name], {
      stateChangelogTopics: [internal(changelog, 0, { 'cleanup.policy': 'compact' })],
    }),
  )
  const endpoint = { host: 'here', port: 65_535 }
  const thread = new StreamsThread('a', { group: groupId, topology: counting, processId: 'p', endpoint })
  await beatUntil(client, [thread], () => thread.active.size === 2)
  const tasks = {
    activeTasks: [{ subtopologyId: '0', partitions: [0, 1] }],
    standbyTasks: [],
    warmupTasks: [],
  }
  expect(await describeOf(client, groupId)).toMatchObject({
    error: 'NONE',
    groupState: 'Stable',
    authorizedOperations: -2_147_483_648,
    topology: {
      epoch: 0,
      subtopologies: [
        {
          subtopologyId: '0',
          sourceTopics: [name],
          repartitionSinkTopics: [],
          repartitionSourceTopics: [],
          stateChangelogTopics: [
            {
              name: changelog,
              partitions: 2,
              replicationFactor: 0,
              topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }],
            },
          ],
        },
      ],
    },
    members: [
      {
        memberId: 'a',
        memberEpoch: thread.memberEpoch,
        instanceId: null,
        rackId: null,
        processId: 'p',
        topologyEpoch: 0,
        userEndpoint: endpoint,
        clientTags: [],
        assignment: tasks,
        targetAssignment: tasks,
        isClassic: false,
      },
    ],
  })
  expect((await describeOf(client, groupId, true)).authorizedOperations).not.toBe(-2_147_483_648)
  const listed = await client.call(listGroups, 5, { statesFilter: [], typesFilter: ['streams'] })
  expect(listed.groups).toContainEqual({
    groupId,
    protocolType: 'streams',
    groupState: 'Stable',
    groupType: 'streams',
  })

  await leaveOver(client, thread)
  expect(await describeOf(client, groupId)).toMatchObject({ error: 'NONE', groupState: 'Empty', members: [] })
  const { results } = await client.call(deleteGroups, 2, { groupsNames: [groupId] })
  expect(errorName(results[0]!.errorCode)).toBe('NONE')
  expect(await describeOf(client, groupId)).toMatchObject({
    error: 'GROUP_ID_NOT_FOUND',
    errorMessage: `Group ${groupId} not found.`,
  })
})

test('does not tell of groups of another type', async () => {
  const { client, groupId } = await groupPlace()
  await joinAlone(client, groupId)
  expect(await describeOf(client, groupId)).toMatchObject({
    error: 'GROUP_ID_NOT_FOUND',
    errorMessage: `Group ${groupId} is not a streams group.`,
  })
})
