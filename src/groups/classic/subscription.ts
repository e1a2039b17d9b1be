import { codec } from '../../protocol/compile.ts'
import { ConsumerProtocolSubscription } from '../../protocol/messages/consumer-protocol.ts'
import { MalformedError, Reader } from '../../protocol/reader.ts'

/**
 * The topics in a member's metadata, when it is a consumer's; undefined when it cannot be read. Later versions only
 * add to what version 0 says.
 */
export function topicsOf(metadata: Buffer): string[] | undefined {
  const reader = new Reader(metadata)
  try {
    reader.int16()
    return codec(ConsumerProtocolSubscription, 0).decode(reader).topics
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
