import { assignorName } from '../../../groups/consumer/assignors/index.ts'

/** Rules that only one or two settings have: Kafka's name of the rule, and what it says of a value that breaks it. */
type Rule<Value> = readonly [rule: string, broken: (value: Value, name: string) => string | undefined]

export const gzipLevel: Rule<number> = [
  '[1,...,9] or -1',
  value =>
    (value >= 1 && value <= 9) || value === -1 ? undefined : 'Value must be between 1 and 9 or equal to -1',
]

export const nonEmpty: Rule<string> = [
  'non-empty string',
  value => (value === '' ? 'String must be non-empty' : undefined),
]

/** Lists that may be absent, but not be set to nothing. */
export const nonEmptyList: Rule<readonly string[]> = [
  'non-empty list',
  value => (value.length === 0 ? 'List must not be empty' : undefined),
]

/** Kafka looks for classes of these names; here is what it brings along itself. */
export const consumerAssignors: Rule<readonly string[]> = [
  '',
  value => {
    if (value.length === 0) return 'List must not be empty'
    const strange = value.find(each => assignorName(each) === undefined)
    return strange === undefined ? undefined : `There is no assignor ${strange}; there are uniform and range`
  },
]

/** `*`, or `partition:broker` pairs, with any number of commas between (ThrottledReplicaListValidator). */
export const throttledReplicas: Rule<readonly string[]> = [
  '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  (value, name) =>
    value.every(each => /^(?:\d+:\d+)?$/.test(each)) || value.join('') === '*'
      ? undefined
      : `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
]

const duration = /^by_duration:\+?P(?=\d|T\d)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d{1,9})?S)?)?$/i

/** Where a share group starts: `latest`, `earliest` or `by_duration:` and an ISO 8601 duration (ShareGroupAutoOffsetResetStrategy). */
export const offsetReset: Rule<string> = [
  '[latest, earliest, by_duration:PnDTnHnMn.nS]',
  (value, name) =>
    value === 'latest' || value === 'earliest' || duration.test(value)
      ? undefined
      : `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
]
