import { basename, dirname, extname } from 'node:path'
import { nodeDisk } from '../../base/disk.ts'
import { ConfigError } from './definition.ts'
import { parseProperties } from './properties.ts'

/** Reads a file of settings by Kafka's names: TOML when it ends in `.toml`, else properties. Rejects with ConfigError. */
export async function readConfigFile(path: string): Promise<Map<string, string>> {
  const bytes = await readWhole(path)
  return extname(path) === '.toml' ? parseToml(path, bytes.toString()) : parseProperties(bytes.toString())
}

async function readWhole(path: string): Promise<Buffer> {
  const bytes = await nodeDisk(dirname(path))
    .read(basename(path))
    .catch((error: NodeJS.ErrnoException) => {
      throw new ConfigError(
        `cannot read ${path}: ${error.code === 'EISDIR' ? 'it is a directory' : error.message}`,
      )
    })
  if (bytes === undefined) throw new ConfigError(`cannot read ${path}: there is no such file`)
  return bytes
}

/** Nested tables flatten to dotted names; arrays are Kafka's lists. */
async function parseToml(path: string, text: string): Promise<Map<string, string>> {
  // Loaded only where somebody writes TOML: it costs start-up time.
  const { parse, TomlError } = await import('smol-toml')
  const values = new Map<string, string>()
  try {
    flatten('', parse(text), values)
  } catch (error) {
    if (error instanceof TomlError)
      throw new ConfigError(`${path}:${error.line}: ${firstLine(error.message)}`)
    if (error instanceof ConfigError) throw new ConfigError(`${path}: ${error.message}`)
    throw error
  }
  return values
}

function flatten(prefix: string, table: object, values: Map<string, string>): void {
  for (const [key, value] of Object.entries(table)) {
    const name = prefix === '' ? key : `${prefix}.${key}`
    if (Array.isArray(value)) values.set(name, value.map(each => scalar(name, each)).join(','))
    else if (typeof value === 'object' && !(value instanceof Date)) flatten(name, value as object, values)
    else values.set(name, scalar(name, value))
  }
}

function scalar(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw new ConfigError(`${name} must be a text, a number, true or false, or a list of these`)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
