/** AssignReplicasToDirs, API key 73, versions 0. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, int16, int32, int64, struct, uuid, message, type Of } from '../schema.ts'

export const AssignReplicasToDirsRequest = message(
  { versions: '0', flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1n),
    directories: array(
      struct({
        id: uuid,
        topics: array(struct({ topicId: uuid, partitions: array(struct({ partitionIndex: int32 })) })),
      }),
    ),
  },
)
export type AssignReplicasToDirsRequest = Of<typeof AssignReplicasToDirsRequest>

export const AssignReplicasToDirsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    directories: array(
      struct({
        id: uuid,
        topics: array(
          struct({ topicId: uuid, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
        ),
      }),
    ),
  },
)
export type AssignReplicasToDirsResponse = Of<typeof AssignReplicasToDirsResponse>
