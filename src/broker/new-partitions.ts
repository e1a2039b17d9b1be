import { KafkaError } from '../protocol/errors.ts'

/** How many partitions one request may ask for (QuorumController.MAX_RECORDS_PER_USER_OP). */
export const partitionsPerRequestMax = 10_000

/** POLICY_VIOLATION where a request asks for more partitions than anybody means. */
export function partitionExcess(count: number): KafkaError | undefined {
  if (count <= partitionsPerRequestMax) return undefined
  return new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
}

/** The names that a request gives more than once. */
export function repeatedNames(topics: readonly { readonly name: string }[]): ReadonlySet<string> {
  const names = new Set<string>()
  const repeated = new Set<string>()
  for (const { name } of topics) (names.has(name) ? repeated : names).add(name)
  return repeated
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
