import { AssertionError } from '../base/assert.ts'
import { codec } from '../protocol/compile.ts'
import { errorCodes, KafkaError } from '../protocol/errors.ts'
import { RequestHeader, ResponseHeader } from '../protocol/header.ts'
import { Reader } from '../protocol/reader.ts'
import { includes, versions, type Draft, type Message, type Versions } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import type { Api } from './api.ts'
import { apiVersions } from './apis/18-api-versions.ts'
import { apis } from './apis/index.ts'
import type { ConnectionInfo, Context, Services } from './context.ts'
import type { Frame } from './frames.ts'

/** An answer under way. `pieces` are its frame's bytes; undefined sends nothing. */
export interface Answer {
  readonly pieces: Buffer[] | undefined | Promise<Buffer[] | undefined>
  /** Settles when the request has its place in order; undefined where it has it already. */
  readonly placed?: Promise<unknown> | undefined
  /** Called once the bytes have left, or never will. */
  readonly sent: (() => void)[]
}

/** The peer asked for what cannot be answered in a form that it would understand: the connection is closed, as Kafka does. */
export class UnservedError extends Error {
  override readonly name = 'UnservedError'
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

interface Served {
  readonly api: Api
  readonly versions: Versions
}

const served = new Map<number, Served>(apis.map(api => [api.key, { api, versions: versions(api.versions) }]))

/** Whether requests behind this one may be served before it is answered, and it before those in front of it are. */
export function isPipelined({ bytes }: Frame): boolean {
  return bytes.length >= 2 && served.get(bytes.readInt16BE(0))?.api.pipelined === true
}

/**
 * From a frame to its answer: header, room, version, body, room, answer.
 * Bad bytes throw (MalformedError, UnservedError) and cost the connection; a KafkaError is the room's typed refusal;
 * anything else is our bug: logged, refused with UNKNOWN_SERVER_ERROR.
 */
export function dispatch(frame: Frame, connection: ConnectionInfo, services: Services): Answer {
  const reader = new Reader(frame.bytes)
  const key = frame.bytes.length >= 4 ? frame.bytes.readInt16BE(0) : -1
  const version = frame.bytes.length >= 4 ? frame.bytes.readInt16BE(2) : -1
  const found = served.get(key)
  if (!found) throw new UnservedError(`API key ${key} is not served`)
  const { api } = found
  const isServed = includes(found.versions, version) && includes(api.request.versions, version)
  const isFlexible = includes(api.request.flexible, version)
  if (!isServed && api.key !== apiVersions.key) {
    throw new UnservedError(`${api.name} version ${version} is not served`)
  }
  // A client that is ahead of us asks ApiVersions in a version that we do not know, and reads a version 0 answer (KIP-511).
  if (!isServed) {
    const { correlationId } = codec(RequestHeader, 1).decode(reader)
    const refusal = apiVersions.refuse({} as never, errorCodes.UNSUPPORTED_VERSION, 0, null)
    return { pieces: write(apiVersions, 0, correlationId, refusal), sent: [] }
  }

  const header = codec(RequestHeader, isFlexible ? 2 : 1).decode(reader)
  // Bytes behind the request mean nothing, as in Kafka: librdkafka 2.16 sends three behind Metadata version 13.
  const request = codec(api.request, version).decode(reader)

  const sent: (() => void)[] = []
  let placed: Promise<unknown> | undefined
  // The services are its prototype: to copy them for each request took longer than to decode it.
  const context = Object.create(services) as Writable<Context>
  context.connection = connection
  context.clientId = header.clientId
  context.version = version
  context.hold = frame.hold
  context.holdBack = until => void (placed = until)
  context.onSent = release => void sent.push(release)
  const finish = (response: Draft<Message> | undefined): Buffer[] | undefined =>
    response === undefined ? undefined : write(api, version, header.correlationId, response)
  const refuse = (error: unknown): Buffer[] | undefined => {
    const code = error instanceof KafkaError ? error.code : reportBug(error, api, version, context)
    const reason = error instanceof KafkaError ? error.reason : null
    try {
      return write(api, version, header.correlationId, api.refuse(request, code, version, reason))
    } catch (fault) {
      // Nobody is left to catch it, and a request without an answer would hold up the ones behind it for good.
      reportBug(fault, api, version, context)
      connection.close(`${api.name} version ${version} could not be refused`)
      return undefined
    }
  }

  let pieces: Answer['pieces']
  try {
    const response = api.handle(request, context)
    pieces = response instanceof Promise ? response.then(finish).catch(refuse) : finish(response)
  } catch (error) {
    pieces = refuse(error)
  }
  return { pieces, placed, sent }
}

/** The whole frame of a response. ApiVersions keeps header version 0, so that any client can read it (KIP-511). */
function write(api: Api, version: number, correlationId: number, response: Draft<Message>): Buffer[] {
  const isFlexible = includes(api.response.flexible, version) && api.key !== apiVersions.key
  const writer = new Writer()
  writer.int32(0)
  codec(ResponseHeader, isFlexible ? 1 : 0).encode(writer, { correlationId })
  codec(api.response, version).encode(writer, response)
  const length = writer.length
  const pieces = writer.pieces()
  pieces[0]!.writeInt32BE(length - 4, 0)
  return pieces
}

function reportBug(error: unknown, api: Api, version: number, context: Context): number {
  const kind = error instanceof AssertionError ? 'assertion failed' : 'unexpected error'
  context.logger.error(
    { err: error, api: api.name, version, clientId: context.clientId },
    `${kind} in ${api.name}`,
  )
  context.reportBug(error)
  return errorCodes.UNKNOWN_SERVER_ERROR
}
