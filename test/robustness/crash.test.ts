import { expect, test } from 'vitest'
import { runCampaign, summaryLine } from '../support/crash-campaign.ts'
import { chooseSeed } from '../support/seed.ts'

const cycles = Number(process.env['CRASH_CYCLES'] ?? 5)

test(
  'keeps every promise across kill -9 under load',
  async () => {
    const summary = await runCampaign({ cycles, seed: chooseSeed('CRASH_SEED'), report: console.log })
    console.log(summaryLine(summary))
    expect(summary.problems).toEqual([])
    expect(summary).toMatchObject({ cycles, lost: 0, duplicated: 0, reordered: 0, corrupted: 0 })
    expect(summary.acknowledged).toBeGreaterThan(0)
  },
  30_000 + cycles * 20_000,
)
