/** Operations of ACLs by their number on the wire (org.apache.kafka.common.acl.AclOperation). */
const operation = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

function bits(operations: (keyof typeof operation)[]): number {
  return operations.reduce((sum, name) => sum | (1 << operation[name]), 0)
}

/** What Kafka answers where the request did not ask. */
export const noOperations = -2147483648

/** What a client may do to a topic, a group or the cluster (AclEntry.supportedOperations): all there is, while there are no ACLs. */
export const topicOperations = bits([
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
])
export const groupOperations = bits(['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'])
export const clusterOperations = bits([
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
])
