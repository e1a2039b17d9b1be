import { initializeShareGroupState } from '../../src/broker/apis/83-initialize-share-group-state.ts'
import { connectToBroker } from './broker.ts'
import { makeTopic, uniqueName } from './requests.ts'
import type { WireClient } from './wire-client.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'

/** A share partition that nobody leads, and a connection to its coordinator. */
export async function statePlace(): Promise<{ client: WireClient; groupId: string; topicId: string }> {
  const client = await connectToBroker()
  const groupId = uniqueName('share')
  const { topicId } = await makeTopic(client)
  for (;;) {
    const { coordinators } = await client.call(findCoordinator, 6, {
      keyType: 2,
      coordinatorKeys: [`${groupId}:${topicId}:0`],
    })
    const errorCode = coordinators[0]!.errorCode || (await initialize(client, groupId, topicId, 0, -1n))
    if (errorCode === 0) return { client, groupId, topicId }
    if (process.env['KAFKA_BOOTSTRAP'] === undefined) throw new Error(`no coordinator: ${errorCode}`)
  }
}

/** The error code of an InitializeShareGroupState. */
export async function initialize(
  client: WireClient,
  groupId: string,
  topicId: string,
  stateEpoch: number,
  startOffset: bigint,
  partition = 0,
): Promise<number> {
  const { results } = await client.call(initializeShareGroupState, 0, {
    groupId,
    topics: [{ topicId, partitions: [{ partition, stateEpoch, startOffset }] }],
  })
  return results[0]!.partitions[0]!.errorCode
}
