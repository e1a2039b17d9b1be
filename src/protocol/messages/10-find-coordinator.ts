/** FindCoordinator, API key 10, versions 0-6. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const FindCoordinatorRequest = message(
  { versions: '0-6', flexible: '3+' },
  { key: string.in('0-3'), keyType: int8.in('1+').or(0), coordinatorKeys: array(string).in('4+') },
)
export type FindCoordinatorRequest = Of<typeof FindCoordinatorRequest>

export const FindCoordinatorResponse = message(
  { versions: '0-6', flexible: '3+' },
  {
    throttleTimeMs: int32.in('1+').or(0),
    errorCode: int16.in('0-3'),
    errorMessage: string.nullable().in('1-3'),
    nodeId: int32.in('0-3'),
    host: string.in('0-3'),
    port: int32.in('0-3'),
    coordinators: array(
      struct({
        key: string.in('4+'),
        nodeId: int32.in('4+'),
        host: string.in('4+'),
        port: int32.in('4+'),
        errorCode: int16.in('4+'),
        errorMessage: string.nullable().in('4+'),
      }),
    ).in('4+'),
  },
)
export type FindCoordinatorResponse = Of<typeof FindCoordinatorResponse>
