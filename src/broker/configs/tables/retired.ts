/** Broker settings that older Kafkas had and 4.x has not: accepted, so that their files can be used, and never described. */
const retired = new Set([
  'advertised.host.name',
  'advertised.port',
  'broker.id.generation.enable',
  'control.plane.listener.name',
  'delegation.token.master.key',
  'group.coordinator.new.enable',
  'host.name',
  'inter.broker.protocol.version',
  'log.message.downconversion.enable',
  'log.message.format.version',
  'log.message.timestamp.difference.max.ms',
  'offsets.commit.required.acks',
  'password.encoder.cipher.algorithm',
  'password.encoder.iterations',
  'password.encoder.key.length',
  'password.encoder.keyfactory.algorithm',
  'password.encoder.old.secret',
  'password.encoder.secret',
  'port',
  'reserved.broker.max.id',
])

/** True for a setting that Kafka once had; those of ZooKeeper went as a whole (KIP-500). */
export function isRetired(name: string): boolean {
  return retired.has(name) || name.startsWith('zookeeper.')
}
