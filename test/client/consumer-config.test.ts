import { describe, expect, test } from 'vitest'
import { ConsumerConfigError, consumerConfigFromToml } from '../../src/client/index.ts'

test('reads what the seeds write', () => {
  const toml = `
    [consumer.analytics]
    # Per-partition commits (Kafka-style)
    commit_strategy = "per_partition"
    auto_commit_interval_ms = 5000

    [consumer.sequencer]
    # VLSN commits (simplified)
    commit_strategy = "vlsn"
    partition_count = 10  # Must match log config
    auto_commit = true`
  expect(consumerConfigFromToml(toml, 'analytics')).toEqual({
    commitStrategy: 'per_partition',
    autoCommitIntervalMs: 5000,
  })
  expect(consumerConfigFromToml(toml, 'sequencer')).toEqual({
    commitStrategy: 'vlsn',
    partitionCount: 10,
    autoCommit: true,
  })
})

describe('refuses, and says why', () => {
  const at = '[consumer.a]\n'
  test.each([
    ['[consumer.b]', 'there is no [consumer.a]'],
    ['consumer = 1', 'there is no [consumer.a]'],
    ['[consumer', 'not TOML: '],
    [`${at}commit_strategie = "vlsn"`, '[consumer.a]: commit_strategie is not a setting of a consumer'],
    [
      `${at}commit_strategy = "both"`,
      '[consumer.a]: the commit strategy is "both", and has to be one of per_partition, vlsn, hybrid',
    ],
    [`${at}partition_count = 0`, 'the partition count is 0, and has to be a whole number from 1 on'],
    [`${at}auto_commit = "yes"`, 'auto commit is "yes", and has to be true or false'],
    [
      `${at}auto_commit_interval_ms = 1.5`,
      'the auto commit interval is 1.5, and has to be a whole number of ms',
    ],
  ])('%s', (toml, message) => {
    const read = (): unknown => consumerConfigFromToml(toml, 'a')
    expect(read).toThrow(ConsumerConfigError)
    expect(read).toThrow(message)
  })
})
