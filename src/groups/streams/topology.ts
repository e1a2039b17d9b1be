import { encode } from '../../protocol/compile.ts'
import type { StreamsGroupHeartbeatRequest } from '../../protocol/messages/88-streams-group-heartbeat.ts'
import { StreamsGroupTopologyValue } from '../../protocol/messages/consumer-offsets-records.ts'

/** What an application reads, keeps and passes on within itself (StreamsTopology), as its record says it. */
export type Topology = StreamsGroupTopologyValue
export type Subtopology = Topology['subtopologies'][number]
/** A topic that the broker makes for the application. No partitions: their number is for the broker to decide. */
export type InternalTopic = Subtopology['repartitionSourceTopics'][number]

/** The topology of a heartbeat; the record has the same fields under the same names. */
export function topologyOf(asked: NonNullable<StreamsGroupHeartbeatRequest['topology']>): Topology {
  return asked
}

/** Whether two topologies are the same. The order of their subtopologies says nothing; that within them does. */
export function areSameTopology(a: Topology, b: Topology): boolean {
  return canonical(a).equals(canonical(b))
}

function canonical(topology: Topology): Buffer {
  return encode(StreamsGroupTopologyValue, 0, {
    epoch: topology.epoch,
    subtopologies: bySubtopologyId(topology),
  })
}

/** The subtopologies in the order of their ids. */
export function bySubtopologyId({ subtopologies }: Topology): Subtopology[] {
  return subtopologies.toSorted((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
}

/** The topics whose records make the tasks of a subtopology. */
export function sourceTopicsOf({ sourceTopics, repartitionSourceTopics }: Subtopology): string[] {
  return [...sourceTopics, ...repartitionSourceTopics.map(({ name }) => name)]
}

/** The topics that have to be there before the application can run. */
export function requiredTopics({ subtopologies }: Topology): Set<string> {
  return new Set(
    subtopologies.flatMap(subtopology => [
      ...sourceTopicsOf(subtopology),
      ...subtopology.stateChangelogTopics.map(({ name }) => name),
    ]),
  )
}

/** The subtopology that reads `topic`; the last one to name it, as in Kafka. */
export function readerOf({ subtopologies }: Topology, topic: string): Subtopology | undefined {
  return subtopologies.findLast(subtopology => sourceTopicsOf(subtopology).includes(topic))
}
