/**
 * DeleteTopics. Behaviour: topics by name or id, each judged by itself; those that can go, go in one change. Internal topics can
 * be deleted too, as in Kafka, and are made anew at the next need.
 *
 * Versions: `delete.topic.enable=false` is INVALID_REQUEST before 3; messages from 5, topic ids from 6 (KIP-516).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { Catalog, Topic } from '../catalog.ts'
import { noTopicId, refuseView } from '../partitions.ts'

type TopicAnswer = Draft<typeof DeleteTopicsResponse>['responses'][number]

interface Asked {
  readonly name: string | null
  readonly topicId: string
}

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  request: DeleteTopicsRequest,
  response: DeleteTopicsResponse,

  async handle(request, { catalog, settings, version }) {
    if (!settings.get('delete.topic.enable')) {
      throw new KafkaError(version < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED')
    }
    const responses: TopicAnswer[] = []
    const deletable = new Map<string, Topic>()
    const refusedIds = new Set<string>()
    for (const each of distinct(askedIn(request, version))) {
      let topic: Topic | undefined
      try {
        topic = find(each, catalog)
        if (deletable.delete(topic.id) || refusedIds.has(topic.id)) {
          refusedIds.add(topic.id)
          throw invalid('The provided topic name maps to an ID that was already supplied.')
        }
        deletable.set(topic.id, topic)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        responses.push(answer(topic ? { name: topic.name, topicId: topic.id } : each, error))
      }
    }
    const outcomes = await catalog.deleteAll([...deletable.keys()])
    for (const [index, { name, id }] of [...deletable.values()].entries()) {
      responses.push(answer({ name, topicId: id }, outcomes[index]))
    }
    return { responses }
  },

  refuse: (request, errorCode, version) => ({
    responses: askedIn(request, version).map(({ name, topicId }) => ({ name, topicId, errorCode })),
  }),
})

function askedIn(request: DeleteTopicsRequest, version: number): readonly Asked[] {
  return version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: noTopicId }))
}

interface Distinct extends Asked {
  readonly count: number
}

function distinct(asked: readonly Asked[]): Distinct[] {
  const counted = new Map<string, Distinct>()
  for (const { name, topicId } of asked) {
    const key = `${name === null ? '' : `name ${name}`}/${topicId}`
    counted.set(key, { name, topicId, count: (counted.get(key)?.count ?? 0) + 1 })
  }
  return [...counted.values()]
}

function find({ name, topicId, count }: Distinct, catalog: Catalog): Topic {
  const hasId = topicId !== noTopicId
  if (name === null && !hasId) throw invalid('Neither topic name nor id were specified.')
  if (name !== null && hasId) throw invalid('You may not specify both topic name and topic id.')
  if (count > 1) throw invalid(`Duplicate topic ${hasId ? 'id' : 'name'}.`)
  const topic = hasId ? catalog.topicById(topicId) : catalog.topic(name!)
  if (topic) return topic
  refuseView(catalog, { name: name ?? '', topicId })
  if (hasId) throw new KafkaError('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}

function answer({ name, topicId }: Asked, error: KafkaError | undefined): TopicAnswer {
  return { name, topicId, errorCode: error?.code ?? errorCodes.NONE, errorMessage: error?.message ?? null }
}
