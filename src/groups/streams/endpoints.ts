import type { StreamsGroupHeartbeatResponse } from '../../protocol/messages/88-streams-group-heartbeat.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { ConfiguredTopology } from './configured-topology.ts'
import type { StreamsMember } from './member.ts'
import { taskList, type TaskId } from './tasks.ts'
import { sourceTopicsOf } from './topology.ts'

export type EndpointPartitions = NonNullable<
  Draft<typeof StreamsGroupHeartbeatResponse>['partitionsByUserEndpoint']
>[number]

/**
 * Where to ask for which key (interactive queries): the partitions that each member with an endpoint runs, or keeps a copy
 * of (EndpointToPartitionsManager).
 */
export function partitionsByEndpoint(
  members: Iterable<StreamsMember>,
  topology: ConfiguredTopology,
  lookup: TopicLookup,
): EndpointPartitions[] {
  const all: EndpointPartitions[] = []
  for (const { userEndpoint, assigned } of members) {
    if (!userEndpoint) continue
    all.push({
      userEndpoint,
      activePartitions: partitionsOf(assigned.active.keys(), topology, lookup),
      standbyPartitions: partitionsOf(assigned.standby, topology, lookup),
    })
  }
  return all
}

function partitionsOf(tasks: Iterable<TaskId>, { subtopologies }: ConfiguredTopology, lookup: TopicLookup) {
  return taskList(tasks).flatMap(({ subtopologyId, partitions }) => {
    const subtopology = subtopologies?.get(subtopologyId)
    const topics = new Set(subtopology ? sourceTopicsOf(subtopology) : [])
    return Array.from(topics, topic => ({
      topic,
      // A task reads its partition of each topic that is wide enough.
      partitions: partitions.filter(partition => partition < (lookup.partitionCount(topic) ?? 0)),
    }))
  })
}
