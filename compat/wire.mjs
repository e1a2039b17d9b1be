// The protocol without any client library, for what no client of ours tells or asks.
import { connect } from 'node:net'

/**
 * Sends one whole request, its length included, over a connection of its own.
 * @returns {Promise<Buffer>} the whole answer, its length included
 */
export function exchange(address, request) {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => socket.write(request))
    let bytes = Buffer.alloc(0)
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('the broker closed the connection')))
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return
      socket.destroy()
      resolve(bytes)
    })
  })
}

const int8 = value => Buffer.from([value])
const int16 = value => Buffer.from([value >> 8, value & 0xff])
const int32 = value => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const string = text => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])

const incrementalAlterConfigs = 44
const groupResource = 32
const set = 0

/**
 * Sets a config of a group by IncrementalAlterConfigs v0: kafkajs refuses groups, and kcat has no call for it.
 * @throws where the broker refuses
 */
export async function setGroupConfig(address, group, name, value) {
  const body = Buffer.concat([
    int16(incrementalAlterConfigs),
    int16(0),
    int32(1),
    string('compat'),
    int32(1),
    int8(groupResource),
    string(group),
    int32(1),
    string(name),
    int8(set),
    string(value),
    int8(0),
  ])
  const answer = await exchange(address, Buffer.concat([int32(body.length), body]))
  // Length, correlation id, throttle time, one resource.
  const errorCode = answer.readInt16BE(16)
  if (errorCode !== 0) throw new Error(`${name}=${value} for ${group} was answered with error ${errorCode}`)
}
