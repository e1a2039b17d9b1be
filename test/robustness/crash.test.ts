import { expect, test } from 'vitest'
import { runCampaign, summaryLine } from '../support/crash-campaign.ts'
import { chooseSeed } from '../support/seed.ts'

const cycles = Number(process.env['CRASH_CYCLES'] ?? 5)
/** Every cycle reads all that its campaign ever wrote: a long one is several, each in a directory of its own. */
const campaignCyclesMax = 25
const seed = chooseSeed('CRASH_SEED')

const campaigns = Array.from({ length: Math.ceil(cycles / campaignCyclesMax) }, (_, index) => ({
  seed: seed + index,
  cycles: Math.min(campaignCyclesMax, cycles - index * campaignCyclesMax),
}))

test.each(campaigns)(
  'keeps every promise across kill -9 under load: $cycles cycles, seed $seed',
  async campaign => {
    const summary = await runCampaign({ ...campaign, report: console.log })
    console.log(summaryLine(summary))
    expect(summary.problems).toEqual([])
    expect(summary).toMatchObject({
      cycles: campaign.cycles,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      corrupted: 0,
    })
    expect(summary.acknowledged).toBeGreaterThan(0)
  },
  30_000 + campaignCyclesMax * 20_000,
)
