/** ApiVersions, API key 18, versions 0-4. */
import { array, bool, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const ApiVersionsRequest = message(
  { versions: '0-4', flexible: '3+' },
  { clientSoftwareName: string.in('3+'), clientSoftwareVersion: string.in('3+') },
)
export type ApiVersionsRequest = Of<typeof ApiVersionsRequest>

export const ApiVersionsResponse = message(
  { versions: '0-4', flexible: '3+' },
  {
    errorCode: int16,
    apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
    throttleTimeMs: int32.in('1+').or(0),
    supportedFeatures: array(
      struct({ name: string.in('3+'), minVersion: int16.in('3+'), maxVersion: int16.in('3+') }),
    ).tag(0, '3+'),
    finalizedFeaturesEpoch: int64.or(-1n).tag(1, '3+'),
    finalizedFeatures: array(
      struct({ name: string.in('3+'), maxVersionLevel: int16.in('3+'), minVersionLevel: int16.in('3+') }),
    ).tag(2, '3+'),
    zkMigrationReady: bool.or(false).tag(3, '3+'),
  },
)
export type ApiVersionsResponse = Of<typeof ApiVersionsResponse>
