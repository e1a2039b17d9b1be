/** DescribeClientQuotas, API key 48, versions 0-1. */
import { array, bool, float64, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DescribeClientQuotasRequest = message(
  { versions: '0-1', flexible: '1+' },
  {
    components: array(struct({ entityType: string, matchType: int8, match: string.nullable() })),
    strict: bool,
  },
)
export type DescribeClientQuotasRequest = Of<typeof DescribeClientQuotasRequest>

export const DescribeClientQuotasResponse = message(
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    entries: array(
      struct({
        entity: array(struct({ entityType: string, entityName: string.nullable() })),
        values: array(struct({ key: string, value: float64 })),
      }),
    ).nullable(),
  },
)
export type DescribeClientQuotasResponse = Of<typeof DescribeClientQuotasResponse>
