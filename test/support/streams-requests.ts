import { streamsGroupHeartbeat } from '../../src/broker/apis/88-streams-group-heartbeat.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Of } from '../../src/protocol/schema.ts'
import { StreamsThread } from './streams-scene.ts'
import type { WireClient } from './wire-client.ts'

export type HeartbeatAnswer = Of<typeof streamsGroupHeartbeat.response>

/** Sends one heartbeat of a thread over a socket, and has the thread take in the answer. */
export async function beatOver(
  client: WireClient,
  thread: StreamsThread,
  more: Parameters<StreamsThread['request']>[0] = {},
): Promise<HeartbeatAnswer & { error: string }> {
  const answer = await client.call(streamsGroupHeartbeat, 0, thread.request(more))
  const error = errorName(answer.errorCode)
  if (error === 'NONE') {
    thread.memberEpoch = answer.memberEpoch
    thread.endpointInformationEpoch = answer.endpointInformationEpoch
    if (answer.activeTasks) thread.active = namesOf(answer.activeTasks)
    if (answer.standbyTasks) thread.standby = namesOf(answer.standbyTasks)
  }
  return { ...answer, error }
}

function namesOf(list: readonly { subtopologyId: string; partitions: readonly number[] }[]): Set<string> {
  return new Set(
    list.flatMap(({ subtopologyId, partitions }) => partitions.map(each => `${subtopologyId}_${each}`)),
  )
}

/** Heartbeats of all threads until `isDone`: Apache Kafka makes topics and first assignments in its own time. */
export async function beatUntil(
  client: WireClient,
  threads: readonly StreamsThread[],
  isDone: () => boolean,
): Promise<void> {
  while (!isDone()) {
    for (const thread of threads) {
      const { error, errorMessage } = await beatOver(client, thread)
      if (error !== 'NONE') throw new Error(`${thread.memberId} is refused: ${error} ${errorMessage}`)
    }
  }
}

/** Has a thread leave. */
export async function leaveOver(client: WireClient, thread: StreamsThread): Promise<void> {
  const leaving = { ...thread.request({}), memberEpoch: -1, topology: null }
  const { errorCode } = await client.call(streamsGroupHeartbeat, 0, leaving)
  if (errorCode !== 0) throw new Error(`${thread.memberId} cannot leave: ${errorName(errorCode)}`)
  thread.abandon()
}
