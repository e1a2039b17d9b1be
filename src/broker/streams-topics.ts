import { KafkaError } from '../protocol/errors.ts'
import type { CreationFailures } from '../groups/streams/heartbeat.ts'
import type { InternalTopic } from '../groups/streams/topology.ts'
import type { Context } from './context.ts'
import { judgeNewTopics } from './new-topics.ts'

/**
 * Makes the internal topics of a Streams application, with the settings that it asks for, as if it had sent CreateTopics
 * itself. Returns why those could not be made that could not; one that is there by now is as good as made.
 */
export async function createStreamsTopics(
  topics: readonly InternalTopic[],
  context: Context,
): Promise<CreationFailures> {
  const asked = topics.map(({ name, partitions, replicationFactor, topicConfigs }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: replicationFactor === 0 ? -1 : replicationFactor,
    assignments: [],
    configs: topicConfigs.map(({ key, value }) => ({ name: key, value })),
  }))
  const failures = new Map<string, string>()
  const fail = (name: string, { error, message }: KafkaError): void => {
    if (error !== 'TOPIC_ALREADY_EXISTS') failures.set(name, message)
  }
  const judged = judgeNewTopics(asked, context)
  const creatable = [...judged.values()].flatMap(each => (each instanceof KafkaError ? [] : each))
  for (const [name, each] of judged) if (each instanceof KafkaError) fail(name, each)
  const outcomes = await context.catalog.createAll(creatable)
  outcomes.forEach((outcome, index) => {
    if (outcome instanceof KafkaError) fail(creatable[index]!.name, outcome)
  })
  return failures
}
