import { KafkaError } from '../protocol/errors.ts'

/** How many partitions one request may ask for (QuorumController.MAX_RECORDS_PER_USER_OP). */
export const partitionsPerRequestMax = 10_000

/** Throws POLICY_VIOLATION when a request asks for more partitions than anybody means. */
export function checkPartitionCount(count: number): void {
  if (count <= partitionsPerRequestMax) return
  throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
}

/**
 * Checks the brokers that a client chose for one partition; `nodeIds` are those there are. `replicationFactor` is that of
 * the partitions before it. Throws INVALID_REPLICA_ASSIGNMENT (ReplicationControlManager.validateManualPartitionAssignment).
 */
export function checkAssignment(
  brokerIds: readonly number[],
  replicationFactor: number | undefined,
  nodeIds: readonly number[],
): void {
  const prefix = 'The manual partition assignment includes'
  if (brokerIds.length === 0) throw invalid(`${prefix} an empty replica list.`)
  const stranger = brokerIds.find(id => !nodeIds.includes(id))
  if (stranger !== undefined) throw invalid(`${prefix} broker ${stranger}, but no such broker is registered.`)
  const twin = brokerIds.find((id, index) => brokerIds.indexOf(id) !== index)
  if (twin !== undefined) throw invalid(`${prefix} the broker ${twin} more than once.`)
  if (replicationFactor !== undefined && brokerIds.length !== replicationFactor) {
    throw invalid(
      `${prefix} a partition with ${brokerIds.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
    )
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REPLICA_ASSIGNMENT', message)
}
