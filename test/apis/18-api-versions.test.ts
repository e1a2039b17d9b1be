import { expect, test } from 'vitest'
import { apiVersions } from '../../src/broker/apis/18-api-versions.ts'
import { apis } from '../../src/broker/apis/index.ts'
import { codec } from '../../src/protocol/compile.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { Reader } from '../../src/protocol/reader.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { goldenTable } from '../support/golden.ts'
import { versionsOf } from '../support/requests.ts'
import { encodeRequest } from '../support/wire-client.ts'

interface GoldenApi {
  readonly key: number
  readonly name: string
  readonly advertisedMinVersion: number
  readonly advertisedMaxVersion: number
}

const client = { clientSoftwareName: 'wire-client', clientSoftwareVersion: '1.0' }

test('lists what is served, in every version', async () => {
  const connection = await connect((await startBroker()).address)
  for (const version of versionsOf(apiVersions)) {
    const { errorCode, apiKeys } = await connection.call(apiVersions, version, client)
    expect(errorCode).toBe(0)
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(apis.map(({ key }) => key))
  }
})

test('promises of each API exactly the versions that Kafka does', async () => {
  const connection = await connectToBroker()
  const { apiKeys } = await connection.call(apiVersions, 4, client)
  const known = new Map(goldenTable<GoldenApi[]>('apis.json').map(each => [each.key, each]))
  for (const { apiKey, minVersion, maxVersion } of apiKeys) {
    const { name, advertisedMinVersion, advertisedMaxVersion } = known.get(apiKey)!
    expect([name, minVersion, maxVersion]).toEqual([name, advertisedMinVersion, advertisedMaxVersion])
  }
})

test('answers a version that it does not know in version 0, so that a newer client can step down', async () => {
  const connection = await connectToBroker()
  // A body of a version to come: nobody here can read it.
  const request = encodeRequest(apiVersions, 3, 77, client)
  request.writeInt16BE(99, 6)
  const answer = connection.nextFrame()
  connection.sendRaw(request)
  const reader = new Reader(await answer)
  expect(reader.int32()).toBe(77)
  const { errorCode, apiKeys } = codec(apiVersions.response, 0).decode(reader)
  expect(reader.remaining).toBe(0)
  expect(errorName(errorCode)).toBe('UNSUPPORTED_VERSION')
  expect(apiKeys.find(({ apiKey }) => apiKey === 18)).toMatchObject({ minVersion: 0, maxVersion: 4 })
})

test('refuses a client that calls itself what KIP-511 forbids', async () => {
  const connection = await connectToBroker()
  for (const name of ['', '-dash', 'dash-', 'a b', 'ünder']) {
    const answer = await connection.call(apiVersions, 3, { ...client, clientSoftwareName: name })
    expect(errorName(answer.errorCode)).toBe('INVALID_REQUEST')
  }
  expect((await connection.call(apiVersions, 3, client)).errorCode).toBe(0)
})

test('reports the features that are finalised', async () => {
  const connection = await connectToBroker()
  const { finalizedFeatures, supportedFeatures } = await connection.call(apiVersions, 4, client)
  const level = finalizedFeatures.find(({ name }) => name === 'metadata.version')!.maxVersionLevel
  const supported = supportedFeatures.find(({ name }) => name === 'metadata.version')!
  expect(level).toBeGreaterThanOrEqual(supported.minVersion)
  expect(level).toBeLessThanOrEqual(supported.maxVersion)
})
