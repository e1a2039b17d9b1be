// Transactions of 100 ms beside plain idempotent producing: what exactly once costs.
import { touchPageCache } from '../disk.mjs'
import { median } from '../report.mjs'

const rates = runs => runs.map(run => run.mb_per_s)

export const transactions = {
  volumes: {
    full: { warmUpMb: 200, repeats: 3, mb: 1000 },
    quick: { warmUpMb: 40, repeats: 1, mb: 100 },
  },
  cases: {
    transactions: {
      secondsMax: 240,
      measure: async bench => {
        const { warmUpMb, repeats, mb } = bench.volume
        await bench.warmUp(warmUpMb)
        const produce = async (topic, options) => {
          await touchPageCache(bench.folder, mb * 1.1)
          return bench.load('produce', { topic, size: 1000, mb, acks: 'all', ...options })
        }
        // The first one of each kind finds its coordinators.
        await bench.load('produce', {
          topic: 'warm-up-transactions',
          size: 1000,
          mb: warmUpMb / 4,
          transaction: '100ms',
        })
        const plain = []
        const within = []
        for (let repeat = 1; repeat <= repeats; repeat++) {
          // In turn, so that both meet the same disk.
          plain.push(await produce(`idempotent-${repeat}`))
          within.push(await produce(`transactional-${repeat}`, { transaction: '100ms' }))
        }
        return {
          idempotent: rates(plain),
          transactional: rates(within),
          transactionalToIdempotent: median(rates(within)) / median(rates(plain)),
          transactionalCpu: within.map(run => run.broker_cpu_s_per_gb),
        }
      },
    },
  },
}
