// What lies on the broker's disk, asked for without any client library: clients hide the codec of a batch, and
// librdkafka silently stops compressing when a broker looks too old to it.
import { exchange } from './wire.mjs'

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

function fetchRequest(topic) {
  const name = Buffer.from(topic)
  const head = Buffer.from('0001000400000001ffffffffffff000000640000000100a0000000', 'hex')
  const body = Buffer.alloc(4 + 2 + name.length + 4 + 4 + 8 + 4)
  let at = body.writeInt32BE(1, 0)
  at = body.writeInt16BE(name.length, at)
  at += name.copy(body, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt32BE(0, at)
  at = body.writeBigInt64BE(0n, at)
  body.writeInt32BE(10 << 20, at)
  const size = Buffer.alloc(4)
  size.writeInt32BE(head.length + body.length)
  return Buffer.concat([size, head, body])
}

/**
 * The codec of every batch in partition 0 of a topic, by Fetch v4.
 * @returns {Promise<string[]>}
 */
export async function batchCodecs(address, topic) {
  const answer = await exchange(address, fetchRequest(topic))
  // Size, correlation id, throttle time, one topic; then its name, one partition: index, error, two offsets.
  let at = 4 + 4 + 4 + 4
  at += 2 + answer.readInt16BE(at)
  at += 4 + 4
  const errorCode = answer.readInt16BE(at)
  if (errorCode !== 0) throw new Error(`Fetch answered error ${errorCode}`)
  at += 2 + 8 + 8
  at += 4 + 16 * Math.max(0, answer.readInt32BE(at))
  const records = answer.subarray(at + 4, at + 4 + answer.readInt32BE(at))
  const codecs = []
  for (let batch = 0; batch + 23 <= records.length; batch += 12 + records.readInt32BE(batch + 8)) {
    codecs.push(codecNames[records.readInt16BE(batch + 21) & 7])
  }
  return codecs
}
