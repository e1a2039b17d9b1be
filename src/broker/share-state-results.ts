import { errorCodes, KafkaError } from '../protocol/errors.ts'

interface AskedTopic<Partition> {
  readonly topicId: string
  readonly partitions: readonly Partition[]
}

interface Outcome {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Asks the share coordinator of each partition of a request: what each comes to, or its error and what then stands beside it. */
export function eachSharePartition<Partition extends { readonly partition: number }, Facts extends object>(
  topics: readonly AskedTopic<Partition>[],
  ask: (topicId: string, partition: Partition) => Promise<Facts>,
  failed: Facts,
): Promise<{ topicId: string; partitions: (Outcome & Facts)[] }[]> {
  const one = async (topicId: string, asked: Partition): Promise<Outcome & Facts> => {
    const { partition } = asked
    try {
      return { partition, errorCode: errorCodes.NONE, errorMessage: null, ...(await ask(topicId, asked)) }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partition, errorCode: error.code, errorMessage: error.message, ...failed }
    }
  }
  return Promise.all(
    topics.map(async ({ topicId, partitions }) => ({
      topicId,
      partitions: await Promise.all(partitions.map(asked => one(topicId, asked))),
    })),
  )
}

/** Every partition of a request with the same error. */
export function allSharePartitions<Facts extends object>(
  topics: readonly AskedTopic<{ readonly partition: number }>[],
  errorCode: number,
  failed: Facts,
): { topicId: string; partitions: (Outcome & Facts)[] }[] {
  return topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partition }) => ({ partition, errorCode, errorMessage: null, ...failed })),
  }))
}
