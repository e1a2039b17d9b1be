/** AlterReplicaLogDirs, API key 34, versions 1-2. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const AlterReplicaLogDirsRequest = message(
  { versions: '1-2', flexible: '2+' },
  {
    dirs: array(struct({ path: string, topics: array(struct({ name: string, partitions: array(int32) })) })),
  },
)
export type AlterReplicaLogDirsRequest = Of<typeof AlterReplicaLogDirsRequest>

export const AlterReplicaLogDirsResponse = message(
  { versions: '1-2', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    results: array(
      struct({ topicName: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  },
)
export type AlterReplicaLogDirsResponse = Of<typeof AlterReplicaLogDirsResponse>
