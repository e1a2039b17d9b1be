/** DeleteTopics, API key 20, versions 1-6. */
import { array, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const DeleteTopicsRequest = message(
  { versions: '1-6', flexible: '4+' },
  {
    topics: array(struct({ name: string.nullable().in('6+').or(null), topicId: uuid.in('6+') })).in('6+'),
    topicNames: array(string).in('0-5'),
    timeoutMs: int32,
  },
)
export type DeleteTopicsRequest = Of<typeof DeleteTopicsRequest>

export const DeleteTopicsResponse = message(
  { versions: '1-6', flexible: '4+' },
  {
    throttleTimeMs: int32.or(0),
    responses: array(
      struct({
        name: string.nullable('6+'),
        topicId: uuid.in('6+'),
        errorCode: int16,
        errorMessage: string.nullable().in('5+').or(null),
      }),
    ),
  },
)
export type DeleteTopicsResponse = Of<typeof DeleteTopicsResponse>
