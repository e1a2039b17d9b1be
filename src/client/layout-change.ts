import { offsetOfVlsn } from './bisection.ts'
import { committedIn } from './committed-vlsn.ts'
import type { KafkaAdmin, KafkaClient } from './kafka-client.ts'
import { TopicReader } from './topic-reader.ts'

/**
 * Where a topic has other partitions than when a group committed to it, or was made anew and is shorter, offsets mean nothing: moves the
 * group's to where its VLSNs are now. The number is the least of what the partitions' marks say; what was done above it is done again.
 * Rejects with the client's error where the group has members.
 */
export async function followLayout(
  kafka: KafkaClient,
  admin: KafkaAdmin,
  groupId: string,
  topic: string,
): Promise<void> {
  const committed = await committedIn(admin, groupId, topic)
  const marks = committed.flatMap(({ mark }) => mark ?? [])
  if (marks.length === 0) return
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]),
  )
  const isSame =
    marks.every(({ partitionCount }) => partitionCount === ends.size) &&
    committed.every(({ partition, offset }) => offset <= (ends.get(partition) ?? -1n))
  if (isSame) return
  // A partition without a mark has been read up to its first VLSN, which is its number.
  const count = marks[0]!.partitionCount
  const next = Array.from({ length: count }, (_, partition) => {
    return committed.find(each => each.partition === partition)?.mark?.next ?? BigInt(partition)
  }).reduce((least, each) => (each < least ? each : least))
  const reader = await TopicReader.open(kafka, admin, topic)
  try {
    const bounds = await reader.bounds()
    const partitions = await Promise.all(
      bounds.map(async (each, partition) => ({
        partition,
        offset: String(await offsetOfVlsn(reader, partition, next, each)),
      })),
    )
    await admin.setOffsets({ groupId, topic, partitions })
  } finally {
    await reader.close()
  }
}
