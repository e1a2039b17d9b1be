/** AddPartitionsToTxn, API key 24, versions 0-5. */
import { array, bool, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

const addPartitionsToTxnTopic = struct({ name: string, partitions: array(int32) })

export const AddPartitionsToTxnRequest = message(
  { versions: '0-5', flexible: '3+' },
  {
    transactions: array(
      struct({
        transactionalId: string.in('4+'),
        producerId: int64.in('4+'),
        producerEpoch: int16.in('4+'),
        verifyOnly: bool.in('4+').or(false),
        topics: array(addPartitionsToTxnTopic).in('4+'),
      }),
    ).in('4+'),
    v3AndBelowTransactionalId: string.in('0-3'),
    v3AndBelowProducerId: int64.in('0-3'),
    v3AndBelowProducerEpoch: int16.in('0-3'),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).in('0-3'),
  },
)
export type AddPartitionsToTxnRequest = Of<typeof AddPartitionsToTxnRequest>

const addPartitionsToTxnPartitionResult = struct({ partitionIndex: int32, partitionErrorCode: int16 })

const addPartitionsToTxnTopicResult = struct({
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
})

export const AddPartitionsToTxnResponse = message(
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('4+'),
    resultsByTransaction: array(
      struct({
        transactionalId: string.in('4+'),
        topicResults: array(addPartitionsToTxnTopicResult).in('4+'),
      }),
    ).in('4+'),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).in('0-3'),
  },
)
export type AddPartitionsToTxnResponse = Of<typeof AddPartitionsToTxnResponse>
