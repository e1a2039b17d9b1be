import { expect, test } from 'vitest'
import { describeCluster } from '../../src/broker/apis/60-describe-cluster.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { versionsOf } from '../support/requests.ts'

const request: Draft<typeof describeCluster.request> = {
  includeClusterAuthorizedOperations: false,
  endpointType: 1,
}

test('names the cluster, its controller and its brokers, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(describeCluster)) {
    const answer = await client.call(describeCluster, version, { ...request, includeFencedBrokers: true })
    expect(answer).toMatchObject({ errorCode: 0, errorMessage: null, endpointType: 1, controllerId: 1 })
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/)
    expect(answer.brokers).toMatchObject([{ brokerId: 1, host: '127.0.0.1', rack: null, isFenced: false }])
  }
})

test('names the advertised address, the node and its rack as they are set', async () => {
  const { broker, address } = await startBroker({ nodeId: 7, settings: { 'broker.rack': 'r1' } })
  broker.advertise('PLAINTEXT', 'mapped.example', 12_345)
  const client = await connect(address)
  const { brokers, controllerId, clusterId } = await client.call(describeCluster, 2, request)
  expect(brokers).toMatchObject([{ brokerId: 7, host: 'mapped.example', port: 12_345, rack: 'r1' }])
  expect(controllerId).toBe(7)
  expect(clusterId).toBe(broker.clusterId)
})

test('tells what may be done with the cluster when it is asked to', async () => {
  const client = await connectToBroker()
  const operations = async (includeClusterAuthorizedOperations: boolean) => {
    const asked = { ...request, includeClusterAuthorizedOperations }
    return (await client.call(describeCluster, 2, asked)).clusterAuthorizedOperations
  }
  expect(await operations(true)).toBe(8096)
  expect(await operations(false)).toBe(-2147483648)
})

test('is no controller, and knows no other kind of endpoint', async () => {
  const client = await connectToBroker()
  const controller = await client.call(describeCluster, 1, { ...request, endpointType: 2 })
  expect(errorName(controller.errorCode)).toBe('MISMATCHED_ENDPOINT_TYPE')
  expect(controller.errorMessage).toContain('we wanted an endpoint of type CONTROLLER')
  const unknown = await client.call(describeCluster, 1, { ...request, endpointType: 7 })
  expect(errorName(unknown.errorCode)).toBe('UNSUPPORTED_ENDPOINT_TYPE')
  for (const { brokers, controllerId } of [controller, unknown]) {
    expect({ brokers, controllerId }).toEqual({ brokers: [], controllerId: -1 })
  }
})
