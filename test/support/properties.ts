import * as fc from 'fast-check'
import { seedOf } from './seed.ts'

// For every test file (vitest.config.ts): properties too draw their cases from the seed, which a failure names.
fc.configureGlobal({ seed: seedOf() })
