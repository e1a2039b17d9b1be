// kafka-groups, and what each of the other tools lists.
import { Place } from './kit.mjs'

/** A group of every kind, with a member in it, and one that somebody only commits to. */
export async function listings(context) {
  const place = new Place(context)
  const topic = await place.topic('t', [3])
  const kinds = ['classic', 'consumer', 'share', 'streams']
  const groups = Object.fromEntries(kinds.map(kind => [kind, place.name(`the-${kind}`)]))
  for (const kind of kinds) await place.join(kind, groups[kind], [topic], { name: `in-${kind}` })
  const simple = place.name('the-simple')
  const consumerGroups = place.tool('kafka-consumer-groups')
  await consumerGroups.says(
    ['--reset-offsets', '--group', simple, '--topic', topic, '--to-latest', '--execute'],
    /^the-simple t 0 3$/m,
  )

  const all = place.tool('kafka-groups')
  const rows = {
    classic: 'the-classic Classic consumer',
    consumer: 'the-consumer Consumer consumer',
    share: 'the-share Share share',
    streams: 'the-streams Streams streams',
    simple: 'the-simple Classic',
  }
  await all.lists(['--list'], Object.values(rows))
  await all.lists(['--list', '--consumer'], [rows.classic, rows.consumer, rows.simple])
  await all.lists(['--list', '--share'], [rows.share])
  await all.lists(['--list', '--streams'], [rows.streams])
  await all.lists(['--list', '--group-type', 'classic'], [rows.classic, rows.simple])
  await all.lists(['--list', '--protocol', 'consumer'], [rows.classic, rows.consumer])
  await all.says(['--list', '--group-type', 'nonsense'], /must be a valid group type|Valid types are/, 1)

  await consumerGroups.lists(['--list'], ['the-classic', 'the-consumer', 'the-simple'])
  await consumerGroups.lists(
    ['--list', '--state'],
    ['the-classic Stable', 'the-consumer Stable', 'the-simple Empty'],
  )
  await consumerGroups.lists(['--list', '--state', 'empty,dead'], ['the-simple Empty'])
  await consumerGroups.lists(['--list', '--type', 'consumer'], ['the-consumer Consumer'])
  await consumerGroups.lists(
    ['--list', '--type', 'classic', '--state', 'stable'],
    ['the-classic Classic Stable'],
  )
  await consumerGroups.says(['--list', '--state', 'nonsense'], /Invalid state list 'nonsense'/, 1)
  await consumerGroups.says(['--list', '--type', 'nonsense'], /Invalid types list 'nonsense'/, 1)
  for (const [tool, group] of [
    [place.tool('kafka-share-groups'), 'the-share'],
    [place.tool('kafka-streams-groups'), 'the-streams'],
  ]) {
    await tool.lists(['--list'], [group])
    await tool.lists(['--list', '--state'], [`${group} Stable`])
    await tool.lists(['--list', '--state', 'stable'], [`${group} Stable`])
    await tool.lists(['--list', '--state', 'empty'], [])
    await tool.says(['--list', '--state', 'nonsense'], /Invalid state list 'nonsense'/, 1)
  }
}
