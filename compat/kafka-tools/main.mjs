import { runScenarios } from '../scenarios.mjs'
import { consumerGroupScenarios } from './consumer-groups.mjs'
import { listings } from './listings.mjs'
import { shareGroupScenarios } from './share-groups.mjs'
import { streamsGroupScenarios } from './streams-groups.mjs'

await runScenarios({
  'tools-list-groups': listings,
  ...consumerGroupScenarios,
  ...shareGroupScenarios,
  ...streamsGroupScenarios,
})
