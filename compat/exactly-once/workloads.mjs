// What the killed programs do, and what their output has to be: read as read_committed, exactly the input's.

const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta']

/** How many of these to tell; the rest is counted. */
const exampleCountMax = 3

function told(list, what) {
  if (list.length === 0) return []
  const rest = list.length - exampleCountMax
  return [`${what}: ${list.slice(0, exampleCountMax).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`]
}

/** Names what `actual` lacks, has twice, or has in another order than `expected`; values within `expected` are unique. */
export function differences(place, expected, actual) {
  const counts = new Map(actual.map(value => [value, 0]))
  for (const value of actual) counts.set(value, counts.get(value) + 1)
  const known = new Set(expected)
  const lost = expected.filter(value => !counts.has(value))
  const twice = expected.filter(value => counts.get(value) > 1)
  const strange = [...counts.keys()].filter(value => !known.has(value))
  const found = [
    ...told(lost, `${place} lost`),
    ...told(twice, `${place} has more than once`),
    ...told(strange, `${place} has what nobody sent`),
  ]
  if (found.length > 0) return found
  const index = expected.findIndex((value, position) => value !== actual[position])
  return index < 0 ? [] : [`${place} has ${actual[index]} where ${expected[index]} was expected`]
}

function byPartition(messages) {
  const groups = new Map()
  for (const message of messages) {
    const group = groups.get(message.partition) ?? []
    groups.set(message.partition, group)
    group.push(message)
  }
  return groups
}

/** Each record of the input once, in order, in the same partition, with its offset. */
const transform = {
  value: (_chance, number) => `value-${number}`,
  outputCount: input => input.length,
  verdict: (input, output) => {
    const outputs = byPartition(output)
    return [...byPartition(input)].flatMap(([partition, messages]) =>
      differences(
        `partition ${partition}`,
        messages.map(({ offset, value }) => `${offset}:${value}`),
        (outputs.get(partition) ?? []).map(({ value }) => `${value}`),
      ),
    )
  },
}

/** For each word every count from one to how often it occurs, in order. */
const wordCount = {
  value: chance => Array.from({ length: 1 + chance.below(5) }, () => chance.pick(words)).join(' '),
  outputCount: input => occurrences(input).length,
  verdict: (input, output) => {
    const expected = new Map()
    for (const word of occurrences(input)) expected.set(word, (expected.get(word) ?? 0) + 1)
    return [...expected].flatMap(([word, count]) =>
      differences(
        word,
        Array.from({ length: count }, (_, index) => `${index + 1}`),
        output.filter(({ key }) => `${key}` === word).map(({ value }) => `${value}`),
      ),
    )
  },
}

const occurrences = input => input.flatMap(({ value }) => `${value}`.split(' '))

/**
 * By the name of the program. `value` is the value of one more record; `outputCount` how many records the output must have
 * for an input, `verdict` whatever is wrong with it, in words. Both take messages as kafkajs gives them.
 */
export const workloads = { transform, 'word-count': wordCount }
