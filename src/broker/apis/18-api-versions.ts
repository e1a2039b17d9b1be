/**
 * ApiVersions. Behaviour: lists what this broker serves, computed from the rooms. A version that it does not know is
 * answered in version 0 with UNSUPPORTED_VERSION, so that a newer client can step down (KIP-511).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import { versions } from '../../protocol/schema.ts'
import { api, type Api } from '../api.ts'
import { features } from '../features.ts'

export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  request: ApiVersionsRequest,
  response: ApiVersionsResponse,

  handle(request, { apis, version }) {
    if (
      version >= 3 &&
      !(isLegalName(request.clientSoftwareName) && isLegalName(request.clientSoftwareVersion))
    ) {
      throw new KafkaError('INVALID_REQUEST')
    }
    return {
      errorCode: errorCodes.NONE,
      apiKeys: apis.map(rangeOf),
      supportedFeatures: features
        // Older clients fail on a feature that starts at 0 (KAFKA-17011).
        .filter(({ versionMin }) => version >= 4 || versionMin > 0)
        .map(({ name, versionMin, versionMax }) => ({
          name,
          minVersion: versionMin,
          maxVersion: versionMax,
        })),
      finalizedFeaturesEpoch: 1n,
      finalizedFeatures: features.map(({ name, level }) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    }
  },

  // A client that asked in a version from the future is told which ones there are.
  refuse: (_request, errorCode) => ({
    errorCode,
    apiKeys:
      errorCode === errorCodes.UNSUPPORTED_VERSION ? [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] : [],
  }),
})

function rangeOf({ key, versions: range }: Api): { apiKey: number; minVersion: number; maxVersion: number } {
  const { first, last } = versions(range)
  return { apiKey: key, minVersion: first, maxVersion: last }
}

/** KIP-511: what a client calls itself may hold letters, digits, dots and dashes, and begin and end with none of the latter. */
function isLegalName(name: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(name)
}
