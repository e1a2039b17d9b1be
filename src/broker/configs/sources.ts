import { readConfigFile } from './config-file.ts'
import { ConfigError } from './definition.ts'
import { environmentSettings } from './environment.ts'
import { brokerConfig } from './settings.ts'
import { isRetired } from './tables/retired.ts'

/** Where settings can come from, the strongest first. */
export interface Sources {
  /** `name=value`, from the command line. */
  readonly flags: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The path of a file, TOML or properties. */
  readonly file: string | undefined
}

/** What the sources say together. */
export interface Gathered {
  readonly settings: Record<string, string>
  readonly clusterId: string | undefined
  /** Variables that look like settings and are none. */
  readonly unknownVariables: readonly string[]
}

/** Settings from all sources; flags over environment over file. Rejects with ConfigError, naming the source. */
export async function gatherSettings({ flags, environment, file }: Sources): Promise<Gathered> {
  const fromFile = file === undefined ? new Map<string, string>() : await readConfigFile(file)
  check(fromFile, `${file}: `)
  const { settings: fromEnvironment, clusterId, unknown } = environmentSettings(environment)
  check(fromEnvironment, 'environment: ')
  const fromFlags = new Map(flags.map(assignment))
  check(fromFlags, '--set: ')
  const settings = Object.fromEntries([...fromFile, ...fromEnvironment, ...fromFlags])
  return { settings, clusterId, unknownVariables: unknown }
}

function assignment(text: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new ConfigError(`--set: cannot read '${text}'; write NAME=VALUE`)
  return [text.slice(0, at).trim(), text.slice(at + 1)]
}

function check(values: ReadonlyMap<string, string>, source: string): void {
  for (const [name, text] of values) {
    if (isRetired(name)) continue
    try {
      brokerConfig(name).parse(name, text)
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigError(`${source}${error.message}`) : error
    }
  }
}
