import { int, long, string } from '../definition.ts'

const mebibyte = 1024 * 1024

/** odradek's own broker settings. */
export const ownConfigs = {
  'odradek.backlog.bytes.max': long(64 * mebibyte).atLeast(mebibyte),
  'odradek.log.level': string('info').oneOf('debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  'odradek.shard.segment.bytes': long(256 * mebibyte).atLeast(mebibyte),
  'odradek.shards': int(1).between(1, 64),
  'odradek.storage': string('files').oneOf('files', 'memory'),
  'odradek.stride.records': int(4096).atLeast(1),
  'odradek.tail.bytes.max': long(64 * mebibyte).atLeast(0),
}
