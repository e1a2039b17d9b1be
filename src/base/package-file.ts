import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Loads a CommonJS file of an installed package by its path from the folder of the package's entry: code, not data. */
export function loadPackageModule(packageName: string, path: string): unknown {
  return require(packagePath(packageName, path))
}

/** The bytes of a file of an installed package, by its path from the folder of the package's entry. */
export function readPackageFile(packageName: string, path: string): Buffer {
  return readFileSync(packagePath(packageName, path))
}

function packagePath(packageName: string, path: string): string {
  return join(dirname(require.resolve(packageName)), path)
}
