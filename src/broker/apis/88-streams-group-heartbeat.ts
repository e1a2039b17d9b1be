/**
 * StreamsGroupHeartbeat (KIP-1071). Behaviour: a member of a Kafka Streams application joins with its topology, says which
 * tasks it has, hears which it is to have, and leaves. Internal topics that the topology needs are made by the broker
 * before the answer leaves; where that fails, or source topics are missing, the answer's status says so.
 * Versions: 0.
 * Skipped, as in Kafka 4.3, with INVALID_REQUEST: static members, warmup tasks, task offsets, source topics by pattern, and
 * topologies that change while the group is there.
 */
import { heartbeatRefusal } from '../../groups/streams/heartbeat.ts'
import { errorCodes } from '../../protocol/errors.ts'
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'
import { faultOfName, isInternalTopic } from '../catalog.ts'
import { createStreamsTopics } from '../streams-topics.ts'

export const streamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: '0',
  request: StreamsGroupHeartbeatRequest,
  response: StreamsGroupHeartbeatResponse,

  handle(request, context) {
    const fault = faultOfTopics(request)
    if (fault !== undefined) return heartbeatRefusal(errorCodes.STREAMS_INVALID_TOPOLOGY, fault)
    return context.groups.streamsHeartbeat(request, callerOf(context), topics =>
      createStreamsTopics(topics, context),
    )
  },

  refuse: (_request, errorCode) => heartbeatRefusal(errorCode, null),
})

/** Why a topology cannot be: an application has nothing to look for in Kafka's own topics (KafkaApis.handleStreamsGroupHeartbeat). */
function faultOfTopics({ topology }: StreamsGroupHeartbeatRequest): string | undefined {
  const named = (topology?.subtopologies ?? []).flatMap(subtopology => [
    ...subtopology.sourceTopics,
    ...subtopology.repartitionSinkTopics,
    ...subtopology.repartitionSourceTopics.map(({ name }) => name),
    ...subtopology.stateChangelogTopics.map(({ name }) => name),
  ])
  const names = [...new Set(named)]
  const internal = names.filter(isInternalTopic)
  if (internal.length > 0) {
    return `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is prohibited.`
  }
  const illegal = names.filter(name => faultOfName(name) !== undefined)
  return illegal.length > 0 ? `Topic names ${illegal.join(',')} are not valid topic names.` : undefined
}
