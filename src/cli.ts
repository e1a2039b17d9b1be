#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from './base/clock.ts'
import type { Logger } from './base/logger.ts'
import type { Broker } from './broker/broker.ts'
import { ConfigError } from './broker/configs/definition.ts'
import { Settings } from './broker/configs/settings.ts'
import { gatherSettings } from './broker/configs/sources.ts'
import { hostAndPort } from './broker/listeners.ts'
import { failureLine } from './failures.ts'
import type { BrokerOptions } from './options.ts'
import type { DumpFlags, RestoreFlags } from './cli/commands.ts'

/** What the process ends with. 70 is EX_SOFTWARE of sysexits: a bug of ours. */
const exitCodes = { done: 0, failed: 1, bug: 70 }
const defaultPort = 9092
/** How long closing may take before the process ends without. */
const closeMsMax = 2000

interface Flags {
  port?: number
  host?: string
  data?: string
  memory?: true
  config?: string
  set: string[]
  logLevel?: string
}

let logger: Logger | undefined

process.on('uncaughtException', die)
process.on('unhandledRejection', die)
await commands().parseAsync()

async function serve(flags: Flags): Promise<void> {
  let broker: Broker
  try {
    broker = await start(flags)
  } catch (error) {
    return fail(error)
  }
  // What is bound, which a free port shows nowhere else; every address of the machine is one by loopback too.
  const { host, port } = broker.listeners[0]!
  const isEverywhere = ['', '0.0.0.0', '::'].includes(host)
  process.stdout.write(`listening on ${hostAndPort(isEverywhere ? '127.0.0.1' : host, port)}\n`)
}

/** Starts the broker; from now on SIGTERM and SIGINT end it in good order, a second one at once. */
async function start(flags: Flags): Promise<Broker> {
  const { options, unknownVariables } = await optionsOf(flags)
  const [{ createBroker }, { pino }] = await Promise.all([import('./index.ts'), import('pino')])
  logger = pino({ level: logLevelOf(options) }, pino.destination({ fd: 2, sync: true }))
  for (const variable of unknownVariables)
    logger.warn({ variable }, `${variable} is no setting and is ignored`)
  const starting = createBroker({ ...options, logger })
  let isStopping = false
  const stop = (): void => {
    if (isStopping) process.exit(exitCodes.failed)
    isStopping = true
    systemClock.after(closeMsMax, () => {
      process.stderr.write(`odradek: closing took more than ${closeMsMax} ms\n`)
      process.exit(exitCodes.failed)
    })
    starting.then(
      broker => broker.close().then(() => process.exit(exitCodes.done), die),
      () => {},
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  return starting
}

/** What flags, environment and file say together; without a word about it, port 9092 and ./odradek-data. */
async function optionsOf(
  flags: Flags,
): Promise<{ options: BrokerOptions; unknownVariables: readonly string[] }> {
  const { settings, clusterId, unknownVariables } = await gatherSettings({
    flags: [...flags.set, ...settingsOf(flags)],
    environment: process.env,
    file: flags.config,
  })
  const isSilent = settings['listeners'] === undefined && flags.port === undefined
  const options: BrokerOptions = {
    settings: { 'odradek.storage': 'files', ...settings },
    port: isSilent ? defaultPort : flags.port,
    host: flags.host,
    clusterId,
  }
  return { options, unknownVariables }
}

/** The flags that are settings by another name. */
function settingsOf({ data, memory, logLevel }: Flags): string[] {
  if (data?.includes(',')) throw new ConfigError(`--data: a directory's name cannot have a comma in it`)
  return [
    ...(data === undefined ? [] : [`log.dirs=${data}`, 'odradek.storage=files']),
    ...(memory ? ['odradek.storage=memory'] : []),
    ...(logLevel === undefined ? [] : [`odradek.log.level=${logLevel}`]),
  ]
}

function logLevelOf({ settings }: BrokerOptions): string {
  const level = settings?.['odradek.log.level']
  return new Settings(new Map(level === undefined ? [] : [['odradek.log.level', String(level)]])).get(
    'odradek.log.level',
  )
}

/** The broker, and what can be asked about a data directory that no broker has open. */
function commands(): Command {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  const command = new Command('odradek')
    .enablePositionalOptions()
    .helpCommand(false)
    .description('A Kafka broker: the whole protocol, at once, and every acknowledged record on disk.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this')
    .option('--port <port>', `the port to listen on, 0 for a free one (${defaultPort})`, portOf)
    .option('--host <host>', 'the address to listen on (127.0.0.1)')
    .addOption(
      new Option('--data <dir>', 'the directory to keep everything in (odradek-data)').conflicts('memory'),
    )
    .addOption(new Option('--memory', 'keep everything in memory'))
    .option('--config <file>', 'settings by the names of server.properties; TOML when it ends in .toml')
    .option('--set <name=value>', 'one setting; may be repeated', (each, all: string[]) => [...all, each], [])
    .option(
      '--log-level <level>',
      'debug, info, warn, error, fatal or silent; what is said goes to standard error',
    )
    .addHelpText(
      'after',
      '\nFlags are stronger than KAFKA_* and ODRADEK_* in the environment, and these than the file.',
    )
    .configureOutput({
      outputError: (text, write) =>
        write(
          `odradek: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll(/\s*\n\s*/g, ' ')}\n`,
        ),
    })
    .allowExcessArguments(false)
    .action(serve)
  const add = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .requiredOption('--data <dir>', 'the data directory; no broker may have it open')
  add('dump', 'Show what a data directory holds: by default its blocks, anchors and checkpoints.')
    .option('--blocks', 'the header of every block')
    .option('--batches', 'the batches, in the order of the log')
    .option('--records', 'the batches and their records')
    .option('--indexes', 'sparse indexes and footers')
    .option('--anchors', 'anchors, checkpoints and their bookmarks')
    .option('--partition <topic-n>', 'only what is of this partition; by default its batches')
    .option('--json', 'one JSON object per line')
    .action((flags: DumpFlags) => offline(({ dump }) => dump(flags)))
  add(
    'verify',
    'Check all that a data directory holds. Ends with 0 where everything is sound, 1 where it is not.',
  ).action((flags: { data: string }) => offline(({ verify }) => verify(flags)))
  add('restore', 'Make a data directory as another one was at a point in the past.')
    .option('--to-lsn <n>', 'the last LSN to keep; dump shows them')
    .option('--to-time <t>', 'the time: ISO 8601 with its zone, or milliseconds since 1970')
    .requiredOption('--out <dir>', 'where to make it: a new or empty directory')
    .action((flags: RestoreFlags) => offline(({ restore }) => restore(flags)))
  return command
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

/** Runs a command that needs no broker. */
async function offline(
  run: (commands: typeof import('./cli/commands.ts')) => Promise<boolean>,
): Promise<void> {
  // Whoever reads has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EPIPE' ? process.exit(exitCodes.done) : die(error),
  )
  try {
    const isFine = await run(await import('./cli/commands.ts'))
    process.exitCode = isFine ? exitCodes.done : exitCodes.failed
  } catch (error) {
    fail(error)
  }
}

/** Ends with one line where the failure was foreseen. */
function fail(error: unknown): never {
  const line = failureLine(error)
  if (line === undefined) return die(error)
  process.stderr.write(`odradek: ${line}\n`)
  process.exit(exitCodes.failed)
}

/** A bug of ours: says all that is known, and ends. */
function die(error: unknown): never {
  if (logger) logger.fatal({ err: error }, 'odradek ran into a bug of its own and stops')
  else
    process.stderr.write(
      `odradek ran into a bug of its own: ${error instanceof Error ? error.stack : String(error)}\n`,
    )
  process.exit(exitCodes.bug)
}
