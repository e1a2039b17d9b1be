import { runScenarios } from '../scenarios.mjs'
import { adminScenarios } from './admin.mjs'
import { configScenarios } from './configs.mjs'
import { groupScenarios } from './groups.mjs'
import { recordScenarios } from './records.mjs'
import { transactionScenarios } from './transactions.mjs'
import { vlsnScenarios } from './vlsn.mjs'

await runScenarios({
  ...recordScenarios,
  ...groupScenarios,
  ...adminScenarios,
  ...configScenarios,
  ...transactionScenarios,
  ...vlsnScenarios,
})
