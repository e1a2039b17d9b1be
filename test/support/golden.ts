import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The folder of golden vectors: `GOLDEN_DIR`, or the one in this repository (its README describes the files). */
export const goldenDir = process.env['GOLDEN_DIR'] ?? join(import.meta.dirname, '..', 'golden')

/** The rows of a `.jsonl` or `.jsonl.gz` file. */
export function goldenRows<Row>(name: string): Row[] {
  const path = join(goldenDir, name)
  const bytes = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`))
  return bytes
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row)
}

/** A whole `.json` file. */
export function goldenTable<Table>(name: string): Table {
  return JSON.parse(readFileSync(join(goldenDir, name), 'utf8')) as Table
}
