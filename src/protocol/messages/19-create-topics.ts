/** CreateTopics, API key 19, versions 2-7. */
import { array, bool, int16, int32, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const CreateTopicsRequest = message(
  { versions: '2-7', flexible: '5+' },
  {
    topics: array(
      struct({
        name: string,
        numPartitions: int32,
        replicationFactor: int16,
        assignments: array(struct({ partitionIndex: int32, brokerIds: array(int32) })),
        configs: array(struct({ name: string, value: string.nullable() })),
      }),
    ),
    timeoutMs: int32.or(60000),
    validateOnly: bool.or(false),
  },
)
export type CreateTopicsRequest = Of<typeof CreateTopicsRequest>

export const CreateTopicsResponse = message(
  { versions: '2-7', flexible: '5+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({
        name: string,
        topicId: uuid.in('7+'),
        errorCode: int16,
        errorMessage: string.nullable(),
        topicConfigErrorCode: int16.tag(0, '5+'),
        numPartitions: int32.in('5+').or(-1),
        replicationFactor: int16.in('5+').or(-1),
        configs: array(
          struct({
            name: string.in('5+'),
            value: string.nullable().in('5+'),
            readOnly: bool.in('5+'),
            configSource: int8.in('5+').or(-1),
            isSensitive: bool.in('5+'),
          }),
        )
          .nullable()
          .in('5+'),
      }),
    ),
  },
)
export type CreateTopicsResponse = Of<typeof CreateTopicsResponse>
