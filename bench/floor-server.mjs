// The floor that produce-floor.mjs compares with: `node floor-server.mjs FILE PARTITIONS [--only-answers]` takes Produce and little else. Every
// topic has so many partitions. With `--only-answers` nothing is checked, written or synced: what is left is what the producer and the socket cost.
import { fdatasync, openSync, writev } from 'node:fs'
import { createServer } from 'node:net'
import { crc32c } from '@node-rs/crc32'

const apis = { produce: 0, metadata: 3, apiVersions: 18, createTopics: 19, initProducerId: 22 }
// Version ranges without tagged fields; a client that opens with a newer ApiVersions is told and asks again.
const versions = { 0: [3, 7], 3: [1, 1], 18: [0, 0], 19: [0, 0], 22: [0, 0] }
const topicAlreadyExists = 36
const unsupportedVersion = 35

/** Every batch goes to one file, and everything that waits goes in one write and one sync; or `onlyAnswers`. */
function serveFloor(file, partitionCount, onlyAnswers) {
  const fd = openSync(file, 'w')
  const nextOffsets = new Map()
  let waiting = []
  let isFlushing = false

  const flush = () => {
    if (isFlushing || waiting.length === 0) return
    isFlushing = true
    const produces = waiting
    waiting = []
    writev(
      fd,
      produces.flatMap(produce => produce.batches),
      null,
      failed => {
        if (failed) throw failed
        fdatasync(fd, error => {
          if (error) throw error
          for (const produce of produces) produce.answer()
          isFlushing = false
          flush()
        })
      },
    )
  }

  /** Reads topics and partitions, gives offsets, and builds the answer that is sent after the sync. */
  const produce = (request, reply, send) => {
    const version = request.version
    const batches = []
    request.string()
    request.skip(6)
    reply.array(request.int32(), () => {
      const topic = request.string()
      reply.string(topic)
      reply.array(request.int32(), () => {
        const partition = request.int32()
        const batch = request.bytes(request.int32())
        if (!onlyAnswers && crc32c(batch.subarray(21)) !== batch.readUInt32BE(17))
          throw new Error('a batch with a wrong CRC')
        const key = `${topic}-${partition}`
        const offset = nextOffsets.get(key) ?? 0
        nextOffsets.set(key, offset + batch.readInt32BE(23) + 1)
        batch.writeBigInt64BE(BigInt(offset))
        batches.push(batch)
        reply.int32(partition).int16(0).int64(offset).int64(-1)
        if (version >= 5) reply.int64(0)
      })
    })
    if (onlyAnswers) return send(reply.int32(0))
    waiting.push({ batches, answer: () => send(reply.int32(0)) })
    flush()
  }

  const handlers = {
    [apis.produce]: produce,
    [apis.apiVersions](request, reply, send) {
      reply.int16(request.version > 0 ? unsupportedVersion : 0)
      const ranges = Object.entries(versions)
      reply.array(ranges.length, index => {
        const [key, [low, high]] = ranges[index]
        reply.int16(Number(key)).int16(low).int16(high)
      })
      send(reply)
    },
    [apis.metadata](request, reply, send) {
      const { address, port } = server.address()
      reply.array(1, () => {
        reply.int32(1).string(address)
        reply.int32(port).int16(-1)
      })
      reply.int32(1)
      reply.array(Math.max(0, request.int32()), () => {
        reply.int16(0).string(request.string())
        reply.int8(0).array(partitionCount, index => {
          reply.int16(0).int32(index).int32(1).int32(1).int32(1).int32(1).int32(1)
        })
      })
      send(reply)
    },
    [apis.createTopics](request, reply, send) {
      reply.array(request.int32(), () => {
        reply.string(request.string()).int16(topicAlreadyExists)
        request.skip(6)
        request.emptyArray()
        request.emptyArray()
      })
      send(reply)
    },
    [apis.initProducerId]: (_, reply, send) => send(reply.int32(0).int16(0).int64(1).int16(0)),
  }

  const server = createServer({ noDelay: true }, socket => {
    readFrames(socket, frame => {
      const request = new Reader(frame)
      const key = request.int16()
      request.version = request.int16()
      const reply = new Writer().int32(request.int32())
      request.string()
      handlers[key](request, reply, answer => socket.write(answer.frame()))
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`))
}

/** One copy: chunks of the socket are joined into a buffer for each frame. */
function readFrames(socket, onFrame) {
  let size = Buffer.alloc(0)
  let frame
  let filled = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    let position = 0
    while (position < chunk.length) {
      if (!frame) {
        const missing = chunk.subarray(position, position + 4 - size.length)
        size = Buffer.concat([size, missing])
        position += missing.length
        if (size.length < 4) return
        frame = Buffer.allocUnsafe(size.readInt32BE())
        size = size.subarray(4)
        filled = 0
      }
      const copied = chunk.copy(frame, filled, position)
      position += copied
      filled += copied
      if (filled < frame.length) return
      onFrame(frame)
      frame = undefined
    }
  })
}

class Reader {
  constructor(frame) {
    this.frame = frame
    this.position = 0
  }
  skip(count) {
    this.position += count
    return this.position - count
  }
  int16() {
    return this.frame.readInt16BE(this.skip(2))
  }
  int32() {
    return this.frame.readInt32BE(this.skip(4))
  }
  bytes(count) {
    const start = this.skip(count)
    return this.frame.subarray(start, start + count)
  }
  emptyArray() {
    if (this.int32() > 0) throw new Error('an array with something in it')
  }
  /** The empty string stands for null too. */
  string() {
    return this.bytes(Math.max(0, this.int16())).toString()
  }
}

/** Writes behind four bytes that are left for the length. */
class Writer {
  constructor() {
    this.buffer = Buffer.allocUnsafe(4096)
    this.position = 4
  }
  skip(count) {
    if (this.position + count > this.buffer.length)
      this.buffer = Buffer.concat([this.buffer, Buffer.alloc(this.buffer.length)])
    this.position += count
    return this.position - count
  }
  int8(value) {
    const at = this.skip(1)
    this.buffer.writeInt8(value, at)
    return this
  }
  int16(value) {
    const at = this.skip(2)
    this.buffer.writeInt16BE(value, at)
    return this
  }
  int32(value) {
    const at = this.skip(4)
    this.buffer.writeInt32BE(value, at)
    return this
  }
  int64(value) {
    const at = this.skip(8)
    this.buffer.writeBigInt64BE(BigInt(value), at)
    return this
  }
  string(text) {
    this.int16(text.length)
    const at = this.skip(text.length)
    this.buffer.latin1Write(text, at)
    return this
  }
  array(count, writeItem) {
    this.int32(count)
    for (let index = 0; index < count; index++) writeItem(index)
    return this
  }
  frame() {
    this.buffer.writeInt32BE(this.position - 4)
    return this.buffer.subarray(0, this.position)
  }
}

serveFloor(process.argv[2], Number(process.argv[3]), process.argv[4] === '--only-answers')
