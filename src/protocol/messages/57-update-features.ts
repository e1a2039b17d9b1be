/** UpdateFeatures, API key 57, versions 0-2. */
import { array, bool, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const UpdateFeaturesRequest = message(
  { versions: '0-2', flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    featureUpdates: array(
      struct({
        feature: string,
        maxVersionLevel: int16,
        allowDowngrade: bool.in('0'),
        upgradeType: int8.in('1+').or(1),
      }),
    ),
    validateOnly: bool.in('1+').or(false),
  },
)
export type UpdateFeaturesRequest = Of<typeof UpdateFeaturesRequest>

export const UpdateFeaturesResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array(struct({ feature: string, errorCode: int16, errorMessage: string.nullable() })).in('0-1'),
  },
)
export type UpdateFeaturesResponse = Of<typeof UpdateFeaturesResponse>
