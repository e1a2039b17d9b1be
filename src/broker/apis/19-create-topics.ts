/**
 * CreateTopics. Behaviour: each topic is judged by itself, in Kafka's order of checks; those that pass are made in one change,
 * and can be produced to and fetched from when the answer leaves. Every partition lives on the nodes there are.
 *
 * Versions: defaults by -1 from 4 (KIP-464), but taken in any; the topic as made from 5 (KIP-525), topic ids from 7 (KIP-516).
 *
 * Skipped: `timeoutMs`, since nothing is left to wait for; create.topic.policy.class.name.
 */
import { randomUuid } from '../../base/random.ts'
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { describeTopic } from '../configs/describe.ts'
import type { Context } from '../context.ts'
import { judgeNewTopics, type Creatable } from '../new-topics.ts'

type TopicAnswer = Draft<typeof CreateTopicsResponse>['topics'][number]

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  request: CreateTopicsRequest,
  response: CreateTopicsResponse,

  async handle(request, context) {
    const judged = judgeNewTopics(request.topics, context)
    const creatable = [...judged.values()].flatMap(each => (each instanceof KafkaError ? [] : each))
    const outcomes = request.validateOnly
      ? creatable.map(() => ({ id: randomUuid(context.random) }))
      : await context.catalog.createAll(creatable)
    const made = new Map(creatable.map((topic, index) => [topic.name, outcomes[index]!]))

    const topics = [...judged].map(([name, topic]): TopicAnswer => {
      if (topic instanceof KafkaError) return refused(name, topic)
      const outcome = made.get(name)!
      return outcome instanceof KafkaError ? refused(name, outcome) : found(topic, outcome.id, context)
    })
    return { topics }
  },

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
})

function found(
  { name, partitionCount, replicationFactor, configs }: Creatable,
  topicId: string,
  { settings }: Context,
): TopicAnswer {
  const entries = describeTopic(configs, settings).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    name,
    topicId,
    errorCode: errorCodes.NONE,
    errorMessage: null,
    numPartitions: partitionCount,
    replicationFactor,
    configs: entries.map(({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      // What was asked for comes back as it came.
      value: configs.get(name) ?? value,
      readOnly,
      configSource,
      isSensitive,
    })),
  }
}

function refused(name: string, { code, message }: KafkaError): TopicAnswer {
  return { name, errorCode: code, errorMessage: message }
}
