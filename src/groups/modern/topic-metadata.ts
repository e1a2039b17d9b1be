import { digest } from '../../base/digest.ts'
import type { TopicLookup } from '../topic-lookup.ts'

/**
 * What a group was assigned by, in 64 bits: the ids and partition counts of those of its topics that are there. The order of
 * the names does not matter. A group goes on to its next epoch when this has changed; Kafka compares a hash of its own
 * (Utils.computeGroupHash), which no client sees, and says 0 likewise where no topic is there.
 */
export function metadataHash(names: Iterable<string>, lookup: TopicLookup): bigint {
  const facts: string[] = []
  for (const name of names) {
    const id = lookup.topicId(name)
    if (id !== undefined) facts.push(`${name} ${id} ${lookup.partitionCount(name)}`)
  }
  if (facts.length === 0) return 0n
  return digest(Buffer.from(facts.sort().join('\n'))).readBigInt64BE(0)
}
