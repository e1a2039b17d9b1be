/** AlterPartition, API key 56, versions 2-3. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, int16, int32, int64, int8, struct, uuid, message, type Of } from '../schema.ts'

export const AlterPartitionRequest = message(
  { versions: '2-3', flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1n),
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            leaderEpoch: int32,
            newIsr: array(int32).in('0-2'),
            newIsrWithEpochs: array(
              struct({ brokerId: int32.in('3+'), brokerEpoch: int64.in('3+').or(-1n) }),
            ).in('3+'),
            leaderRecoveryState: int8.or(0),
            partitionEpoch: int32,
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionRequest = Of<typeof AlterPartitionRequest>

export const AlterPartitionResponse = message(
  { versions: '2-3', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            leaderId: int32,
            leaderEpoch: int32,
            isr: array(int32),
            leaderRecoveryState: int8.or(0),
            partitionEpoch: int32,
          }),
        ),
      }),
    ),
  },
)
export type AlterPartitionResponse = Of<typeof AlterPartitionResponse>
