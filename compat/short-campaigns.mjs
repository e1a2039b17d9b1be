// The campaigns of exactly-once/, history/, group-churn/ and vlsn/ in the short form that belongs to every whole run of the scenarios. Their own
// commands run them for longer, and on Apache Kafka, whose restarts would take minutes here.
import { freshSeed } from './chance.mjs'
import { runCampaign } from './exactly-once/campaign.mjs'
import { campaigns } from './exactly-once/campaigns.mjs'
import { protocols, runCampaign as runGroupChurn } from './group-churn/campaign.mjs'
import { runHistory } from './history/workload.mjs'
import { runKills } from './vlsn/campaign.mjs'
import { readers } from './vlsn/clients.mjs'

const cycles = 5
const historySeconds = 60
const groupChurn = { memberCount: 8, partitions: 24, seconds: 5, isBrokerKilled: true }
const vlsn = { partitions: 12, kills: 5 }

/** Each is { client, scenario, run }: the client's folder, the row of the ledger, and what finds anomalies. */
const all = [
  ...Object.entries(campaigns).map(([name, { folder, program }]) => ({
    client: folder,
    scenario: name === 'streams' ? 'exactly-once-streams' : 'exactly-once',
    run: (start, client, seed) =>
      runCampaign({ program: { name: program, command: client.programs[program] }, start, cycles, seed }),
  })),
  {
    client: 'kcat',
    scenario: 'transaction-history',
    run: (start, _client, seed) => runHistory({ start, seconds: historySeconds, seed }),
  },
  ...protocols.map(protocol => ({
    client: 'java',
    scenario: `group-churn-${protocol}`,
    run: async (start, { programs }, seed) => {
      const { violations } = await runGroupChurn({ protocol, programs, start, seed, ...groupChurn })
      return { anomalies: violations.map(({ kind, what }) => `${kind}: ${what}`) }
    },
  })),
  ...Object.values(readers).map(reader => ({
    client: reader.folder,
    scenario: 'vlsn-kills',
    run: async (start, client, seed) => {
      const { faults } = await runKills({ reader, client, start, seed, ...vlsn })
      return { anomalies: faults }
    },
  })),
]

/**
 * Runs those that are wanted and whose client is there, each on a broker of its own.
 * @param {{ start: Function, clients: { name: string }[], isWanted: (scenario: string) => boolean,
 *   report: (client: string, result: object) => void }} options `start` starts the broker
 */
export async function runShortCampaigns({ start, clients, isWanted, report }) {
  for (const { client: name, scenario, run } of all) {
    const client = clients.find(each => each.name === name)
    if (client === undefined || !isWanted(scenario)) continue
    const seed = freshSeed()
    const startedAt = performance.now()
    const { anomalies } = await run(start, client, seed).catch(error => ({ anomalies: [error.message] }))
    const ok = anomalies.length === 0
    const error = ok ? undefined : `seed ${seed}: ${anomalies.join('; ')}`
    report(name, { scenario, ok, error, ms: Math.round(performance.now() - startedAt) })
  }
}
