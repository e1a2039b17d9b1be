/** DescribeConfigs, API key 32, versions 1-4. */
import { array, bool, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DescribeConfigsRequest = message(
  { versions: '1-4', flexible: '4+' },
  {
    resources: array(
      struct({ resourceType: int8, resourceName: string, configurationKeys: array(string).nullable() }),
    ),
    includeSynonyms: bool.or(false),
    includeDocumentation: bool.in('3+').or(false),
  },
)
export type DescribeConfigsRequest = Of<typeof DescribeConfigsRequest>

export const DescribeConfigsResponse = message(
  { versions: '1-4', flexible: '4+' },
  {
    throttleTimeMs: int32.or(0),
    results: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        configs: array(
          struct({
            name: string,
            value: string.nullable(),
            readOnly: bool,
            configSource: int8.or(-1),
            isSensitive: bool,
            synonyms: array(struct({ name: string, value: string.nullable(), source: int8 })),
            configType: int8.in('3+').or(0),
            documentation: string.nullable().in('3+'),
          }),
        ),
      }),
    ),
  },
)
export type DescribeConfigsResponse = Of<typeof DescribeConfigsResponse>
