import { defineConfig } from 'vitest/config'

// What hangs is to fail, and what is only slow is not: a machine that others use too can be ten times as slow as one's own.
const patienceMs = 240_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/properties.ts'],
    testTimeout: patienceMs,
    hookTimeout: patienceMs,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
  },
})
