/** AlterClientQuotas, API key 49, versions 0-1. */
import { array, bool, float64, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const AlterClientQuotasRequest = message(
  { versions: '0-1', flexible: '1+' },
  {
    entries: array(
      struct({
        entity: array(struct({ entityType: string, entityName: string.nullable() })),
        ops: array(struct({ key: string, value: float64, remove: bool })),
      }),
    ),
    validateOnly: bool,
  },
)
export type AlterClientQuotasRequest = Of<typeof AlterClientQuotasRequest>

export const AlterClientQuotasResponse = message(
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32.or(0),
    entries: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable(),
        entity: array(struct({ entityType: string, entityName: string.nullable() })),
      }),
    ),
  },
)
export type AlterClientQuotasResponse = Of<typeof AlterClientQuotasResponse>
