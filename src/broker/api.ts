import type { Draft, Message, Of, Range } from '../protocol/schema.ts'
import type { Context } from './context.ts'

/**
 * One room: an API as odradek serves it. `versions` is what is promised to clients; the tables may know more.
 */
export interface Api<Request extends Message = Message, Response extends Message = Message> {
  readonly key: number
  readonly name: string
  readonly versions: Range
  readonly request: Request
  readonly response: Response
  /**
   * Pipelined: everything that fixes order happens before the first `await`, or before what `Context.holdBack` was told of has
   * settled, so the connection goes on to its next request at once; answers still leave in order. Otherwise the next request waits for this one's answer, as in Kafka.
   */
  readonly pipelined?: boolean
  /**
   * Answers. `undefined` sends nothing (Produce with acks=0). A thrown KafkaError becomes `refuse`; any other error
   * is our bug: it is logged and refused with UNKNOWN_SERVER_ERROR.
   */
  handle(
    request: Of<Request>,
    context: Context,
  ): Draft<Response> | undefined | Promise<Draft<Response> | undefined>
  /** The answer that says nothing but `errorCode`, in every place where the response has room for it; and why, where it has. */
  refuse(
    request: Of<Request>,
    errorCode: number,
    version: number,
    errorMessage: string | null,
  ): Draft<Response>
}

/** Declares a room. Only gives the types their meaning. */
export function api<Request extends Message, Response extends Message>(
  room: Api<Request, Response>,
): Api<Request, Response> {
  return room
}
