import { expect, test } from 'vitest'
import { ShareGroups } from '../../../src/groups/share/groups.ts'
import { ShareCoordinator } from '../../../src/groups/share/state/coordinator.ts'
import { caller, errorOf, GroupScene, silentLogger } from '../../support/group-scene.ts'
import { settled } from '../../support/manual-clock.ts'
import { MemoryStateTopic } from '../../support/memory-state-topic.ts'
import { shareKey } from '../../support/share-scene.ts'

const { groupId } = shareKey

/** The share groups of a group coordinator and a share coordinator, each with a log that the test holds in its hands. */
async function open() {
  const [groupTopic, stateTopic] = [new MemoryStateTopic(1), new MemoryStateTopic(1)]
  const scene = await GroupScene.open({}, { topic: groupTopic })
  const states = new ShareCoordinator({
    clock: scene.clock,
    logger: silentLogger,
    topic: stateTopic,
    updatesPerSnapshot: 5,
  })
  await states.load()
  const groups = new ShareGroups(scene.coordinator, states, 100)
  const beat = (memberId: string, memberEpoch: number, group = groupId) => {
    const subscribedTopicNames = memberEpoch === 0 ? ['orders'] : null
    const request = { groupId: group, memberId, memberEpoch, rackId: null, subscribedTopicNames }
    return groups.heartbeat(request, caller(1))
  }
  const audit = async () => [...(await scene.coordinator.audit()), ...(await states.audit())]
  return { scene, stateTopic, beat, audit }
}

test('a member that joins does not take the place of another group that has come meanwhile', async () => {
  const { scene, stateTopic, beat, audit } = await open()
  stateTopic.hold()
  const joining = errorOf(beat('n', 0, 'readers'))
  await settled()
  const { ids, generationId } = await scene.form(['a'])
  stateTopic.release()
  expect(await joining).toBe('GROUP_ID_NOT_FOUND')
  expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
  expect(await audit()).toEqual([])
})
