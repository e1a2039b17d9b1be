import { parse, type TomlTable } from 'smol-toml'

/**
 * How a consumer keeps its position. `per_partition`: an offset for each partition, Kafka's way. `vlsn`: one number, and the records in its
 * order. `hybrid`: an offset for each partition, and beside each how far its VLSNs are done.
 */
export type CommitStrategy = 'per_partition' | 'vlsn' | 'hybrid'

export const commitStrategies: readonly CommitStrategy[] = ['per_partition', 'vlsn', 'hybrid']

/** What a `[consumer.NAME]` of the seeds' TOML says. */
export interface ConsumerConfig {
  /** `per_partition` by default. */
  readonly commitStrategy?: CommitStrategy
  /** What the topic must have; not checked by default. */
  readonly partitionCount?: number
  /** Whether positions are committed without being asked to; true by default. */
  readonly autoCommit?: boolean
  /** The longest time before what is done is committed, in ms; 0: after each record. 5000 by default. */
  readonly autoCommitIntervalMs?: number
}

/** A consumer's configuration that makes no sense, told in a sentence. */
export class ConsumerConfigError extends Error {
  override readonly name = 'ConsumerConfigError'
}

/**
 * The configuration of the consumer `name` in a TOML text:
 *
 * ```toml
 * [consumer.analytics]
 * commit_strategy = "vlsn"
 * partition_count = 10
 * auto_commit = true
 * auto_commit_interval_ms = 5000
 * ```
 *
 * Throws ConsumerConfigError where it is not there, or says something else.
 */
export function consumerConfigFromToml(text: string, name: string): ConsumerConfig {
  const table = consumersOf(text)[name]
  const at = `[consumer.${name}]`
  if (!isTable(table)) throw new ConsumerConfigError(`there is no ${at}`)
  const { commit_strategy, partition_count, auto_commit, auto_commit_interval_ms, ...others } = table
  const [other] = Object.keys(others)
  if (other !== undefined) throw new ConsumerConfigError(`${at}: ${other} is not a setting of a consumer`)
  return checked(
    {
      ...(commit_strategy !== undefined && { commitStrategy: commit_strategy as CommitStrategy }),
      ...(partition_count !== undefined && { partitionCount: partition_count as number }),
      ...(auto_commit !== undefined && { autoCommit: auto_commit as boolean }),
      ...(auto_commit_interval_ms !== undefined && {
        autoCommitIntervalMs: auto_commit_interval_ms as number,
      }),
    },
    `${at}: `,
  )
}

/** The same configuration, once it makes sense; throws ConsumerConfigError, which begins with `where`. */
export function checked<Config extends ConsumerConfig>(config: Config, where = ''): Config {
  const { commitStrategy, partitionCount, autoCommit, autoCommitIntervalMs } = config
  const refuse = (name: string, value: unknown, rule: string): never => {
    throw new ConsumerConfigError(`${where}${name} is ${JSON.stringify(value)}, and has to be ${rule}`)
  }
  if (commitStrategy !== undefined && !commitStrategies.includes(commitStrategy)) {
    refuse('the commit strategy', commitStrategy, `one of ${commitStrategies.join(', ')}`)
  }
  if (partitionCount !== undefined && !isWhole(partitionCount, 1)) {
    refuse('the partition count', partitionCount, 'a whole number from 1 on')
  }
  if (autoCommit !== undefined && typeof autoCommit !== 'boolean') {
    refuse('auto commit', autoCommit, 'true or false')
  }
  if (autoCommitIntervalMs !== undefined && !isWhole(autoCommitIntervalMs, 0)) {
    refuse('the auto commit interval', autoCommitIntervalMs, 'a whole number of ms from 0 on')
  }
  return config
}

function consumersOf(text: string): TomlTable {
  try {
    const { consumer } = parse(text)
    return isTable(consumer) ? consumer : {}
  } catch (error) {
    throw new ConsumerConfigError(`not TOML: ${(error as Error).message}`, { cause: error })
  }
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWhole(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min
}
