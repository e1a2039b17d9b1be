import { kafkaBrokerConfigs as kafka } from './broker.ts'

/** Where odradek's defaults are not Kafka's, and why. */
export const developmentDefaults = {
  // A test's first member should not wait three seconds for others; Kafka's own shipped file says 0 as well.
  'group.initial.rebalance.delay.ms': kafka['group.initial.rebalance.delay.ms'].or('0'),
  'group.share.assignment.interval.ms': kafka['group.share.assignment.interval.ms'].or('0'),
  'group.streams.initial.rebalance.delay.ms': kafka['group.streams.initial.rebalance.delay.ms'].or('0'),
  // Whoever joins within a second of the last assignment would wait for it until the next heartbeat, five seconds later.
  'group.consumer.assignment.interval.ms': kafka['group.consumer.assignment.interval.ms'].or('0'),
  // One node holds the only copy of everything.
  'offsets.topic.replication.factor': kafka['offsets.topic.replication.factor'].or('1'),
  'transaction.state.log.replication.factor': kafka['transaction.state.log.replication.factor'].or('1'),
  'transaction.state.log.min.isr': kafka['transaction.state.log.min.isr'].or('1'),
  'share.coordinator.state.topic.replication.factor':
    kafka['share.coordinator.state.topic.replication.factor'].or('1'),
  'share.coordinator.state.topic.min.isr': kafka['share.coordinator.state.topic.min.isr'].or('1'),
  // Kafka requires these of every node; here one process is both, and a controller's listener is never opened.
  'node.id': kafka['node.id'].or('1'),
  'broker.id': kafka['broker.id'].or('1'),
  'process.roles': kafka['process.roles'].or('broker,controller'),
  'controller.listener.names': kafka['controller.listener.names'].or('CONTROLLER'),
  // One process on a laptop is not to be filled by requests that never end; Kafka sets no bound.
  'queued.max.request.bytes': kafka['queued.max.request.bytes'].or(String(512 * 1024 * 1024)),
  // Nobody else on the network should reach a broker that has not been told so.
  listeners: kafka.listeners.or('PLAINTEXT://127.0.0.1:9092'),
  // Not a place that the next start of the machine empties.
  'log.dir': kafka['log.dir'].or('odradek-data'),
}
