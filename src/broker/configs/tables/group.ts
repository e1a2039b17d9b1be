import { bool, int, string } from '../definition.ts'
import { ownGroupConfigs } from './own.ts'
import { offsetReset } from './rules.ts'

/** Apache Kafka 4.3.1's group settings, and the broker settings that they fall back to (GroupConfig). */
export const kafkaGroupConfigs = {
  'consumer.assignment.interval.ms': int(1000).atLeast(0).from('group.consumer.assignment.interval.ms'),
  'consumer.heartbeat.interval.ms': int(5000).atLeast(1).from('group.consumer.heartbeat.interval.ms'),
  'consumer.session.timeout.ms': int(45_000).atLeast(1).from('group.consumer.session.timeout.ms'),
  'share.assignment.interval.ms': int(1000).atLeast(0).from('group.share.assignment.interval.ms'),
  'share.auto.offset.reset': string('latest').where(...offsetReset),
  'share.delivery.count.limit': int(5).atLeast(2).from('group.share.delivery.count.limit'),
  'share.heartbeat.interval.ms': int(5000).atLeast(1).from('group.share.heartbeat.interval.ms'),
  'share.isolation.level': string('read_uncommitted').oneOf('read_committed', 'read_uncommitted'),
  'share.partition.max.record.locks': int(2000).atLeast(100).from('group.share.partition.max.record.locks'),
  'share.record.lock.duration.ms': int(30_000).atLeast(1000).from('group.share.record.lock.duration.ms'),
  'share.renew.acknowledge.enable': bool(true),
  'share.session.timeout.ms': int(45_000).atLeast(1).from('group.share.session.timeout.ms'),
  'streams.assignment.interval.ms': int(1000).atLeast(0).from('group.streams.assignment.interval.ms'),
  'streams.heartbeat.interval.ms': int(5000).atLeast(1).from('group.streams.heartbeat.interval.ms'),
  'streams.initial.rebalance.delay.ms': int(3000).atLeast(0).from('group.streams.initial.rebalance.delay.ms'),
  'streams.num.standby.replicas': int(0).atLeast(0).from('group.streams.num.standby.replicas'),
  'streams.session.timeout.ms': int(45_000).atLeast(1).from('group.streams.session.timeout.ms'),
}

/** Every setting of a group. */
export const groupConfigs = { ...kafkaGroupConfigs, ...ownGroupConfigs }

/** The broker has `group.consumer.max.session.timeout.ms` for `consumer.session.timeout.ms`, and likewise for the others. */
export function boundsOf(name: string): { readonly least: string; readonly most: string } {
  const [, type, what] = /^(\w+)\.(?:num\.)?(.+)$/.exec(name)!
  return { least: `group.${type}.min.${what}`, most: `group.${type}.max.${what}` }
}
