import { expect, test } from 'vitest'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import { makeTopic } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'
import { commitOffsets, committedOffsets, createTopic, RefusedError } from '../support/workload-calls.ts'

const offsetsTopic = '__consumer_offsets'

async function deleteTopic(client: WireClient, name: string): Promise<number> {
  const { responses } = await client.call(deleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 })
  return responses[0]!.errorCode
}

/** Commits, again while the coordinator reads its new log. */
async function commit(client: WireClient, groupId: string, topic: string, offset: bigint): Promise<void> {
  for (;;) {
    try {
      return await commitOffsets(client, groupId, topic, [0], offset)
    } catch (error) {
      const isLoading =
        error instanceof RefusedError && error.code === errorCodes.COORDINATOR_LOAD_IN_PROGRESS
      if (!isLoading) throw error
    }
  }
}

test('groups begin anew when somebody has deleted __consumer_offsets', async () => {
  const { address } = await startBroker()
  const client = await connect(address)
  const { name } = await makeTopic(client)
  await commit(client, 'before', name, 7n)
  expect(await deleteTopic(client, offsetsTopic)).toBe(errorCodes.NONE)
  await commit(client, 'after', name, 8n)
  expect(await committedOffsets(client, 'before', name, [0])).toEqual([-1n])
  expect(await committedOffsets(client, 'after', name, [0])).toEqual([8n])
})

test('a group whose partition somebody has not made is told so', async () => {
  const { address } = await startBroker()
  const client = await connect(address)
  const { name } = await makeTopic(client)
  await createTopic(client, offsetsTopic, 1)
  const groups = Array.from({ length: 10 }, (_, index) => `group-${index}`)
  const outcomes = await Promise.allSettled(groups.map(group => commit(client, group, name, 1n)))
  const refusals = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  expect(new Set(refusals)).toEqual(new Set([errorCodes.NOT_COORDINATOR]))
})
