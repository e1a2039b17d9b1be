// Topics whose records are numbered by their writer, and their ordered view. odradek alone has them.
import assert from 'node:assert/strict'
import { createVlsnTopic, writeVlsns } from '../kafkajs/vlsn.mjs'
import { unique } from '../scenarios.mjs'
import { consume, consumeInGroup, kcat, kcatFails } from './kit.mjs'

/** Records of a view in order, `from` to `to` - 1, each at the offset that is its VLSN. */
function checkOrder(from, to, records) {
  assert.deepEqual(
    records.map(({ partition, offset, key, value }) => [
      partition,
      offset,
      Number(key.readBigInt64BE()),
      `${value}`,
    ]),
    Array.from({ length: to - from }, (_, index) => [0, from + index, from + index, `${from + index}`]),
  )
}

async function viewOrder(context) {
  const topic = await createVlsnTopic(context, 'kcat-vlsn-order')
  await writeVlsns(context, topic, 0, 3_000)
  checkOrder(0, 3_000, await consume(context, `${topic}.vlsn`))
  // Some versions of kcat end in peace after an error of every record.
  const refused = /invalid topic|not permitted/i
  await kcatFails(context.address, ['-P', '-t', `${topic}.vlsn`, '-p', '0'], refused, { input: 'no' })
}

async function viewSeek(context) {
  const topic = await createVlsnTopic(context, 'kcat-vlsn-seek')
  const view = `${topic}.vlsn`
  await writeVlsns(context, topic, 0, 2_000)
  for (const vlsn of [1_234, 1_999, 7]) {
    const range = Math.min(250, 2_000 - vlsn)
    checkOrder(vlsn, vlsn + range, await consume(context, view, ['-o', `${vlsn}`, '-c', `${range}`]))
  }
  checkOrder(1_990, 2_000, await consume(context, view, ['-o', '-10', '-e']))
  assert.match(await kcat(context.address, ['-Q', '-t', `${view}:0:-1`]), /offset 2000\b/)
}

async function viewGroup(context) {
  const topic = await createVlsnTopic(context, 'kcat-vlsn-group')
  const group = unique('kcat-vlsn-group')
  await writeVlsns(context, topic, 0, 1_000)
  checkOrder(0, 417, await consumeInGroup(context, group, [`${topic}.vlsn`], ['-c', '417']))
  checkOrder(417, 1_000, await consumeInGroup(context, group, [`${topic}.vlsn`]))
  assert.deepEqual(await consumeInGroup(context, group, [`${topic}.vlsn`]), [])
}

export const vlsnScenarios = {
  'vlsn-view-order': viewOrder,
  'vlsn-view-seek': viewSeek,
  'vlsn-view-group': viewGroup,
}
