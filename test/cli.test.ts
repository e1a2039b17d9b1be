import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { offsetFetch } from '../src/broker/apis/09-offset-fetch.ts'
import { deleteTopics } from '../src/broker/apis/20-delete-topics.ts'
import { describeConfigs } from '../src/broker/apis/32-describe-configs.ts'
import { commitTo } from './support/group-requests.ts'
import { batchOf, fetchFrom, latest, makeTopic, produceTo, recordsIn } from './support/requests.ts'
import { WireClient } from './support/wire-client.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'odradek-cli-'))
const children = new Set<ChildProcess>()

beforeAll(() => {
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'pipe' })
  } catch (error) {
    throw new Error(`the build failed: ${String((error as { stdout?: Buffer }).stdout)}`, { cause: error })
  }
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** A command line at work. */
class Cli {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor(
    args: string[],
    { env = {}, cwd = folder }: { env?: Record<string, string>; cwd?: string } = {},
  ) {
    this.child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
    })
    children.add(this.child)
    this.child.stdout!.on('data', chunk => (this.#stdout += String(chunk)))
    this.child.stderr!.on('data', chunk => (this.#stderr += String(chunk)))
    this.ended = new Promise(resolve => {
      this.child.on('close', code => {
        children.delete(this.child)
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** Resolves with the address of the ready line; rejects with what was said instead. */
  ready(): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const line = /^listening on (127\.0\.0\.1:\d+)\n$/.exec(this.#stdout)
        if (line) resolve(line[1]!)
      }
      this.child.stdout!.on('data', look)
      look()
      void this.ended.then(({ stdout, stderr }) => reject(new Error(`not ready: ${stdout}${stderr}`)))
    })
  }
}

const run = (...args: string[]): Promise<Ended> => new Cli(args).ended
const newFolder = (): string => mkdtempSync(join(folder, 'data-'))

describe('what is asked of it without a broker', () => {
  test('--help names every flag', async () => {
    const { code, stdout, stderr } = await run('--help')
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const flag of [
      '--port',
      '--host',
      '--data',
      '--memory',
      '--config',
      '--set',
      '--log-level',
      '--version',
      'dump',
      'verify',
      'restore',
    ]) {
      expect(stdout).toContain(flag)
    }
  })

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('a failure to start is one line and exit code 1', () => {
  test.each([
    [
      ['--port', 'x'],
      /^odradek: option '--port <port>' argument 'x' is invalid\. A port is a number from 0 to 65535\.\n$/,
    ],
    [['--port', '65536'], /is invalid/],
    [['--prot', '1'], /^odradek: unknown option '--prot' \(Did you mean --port\?\)\n$/],
    [['--memory', '--data', 'd'], /^odradek: option '--data <dir>' cannot be used with option '--memory'\n$/],
    [['start'], /^odradek: too many arguments/],
    [
      ['--set', 'num.partition=1'],
      /^odradek: --set: unknown setting num\.partition; did you mean num\.partitions\?\n$/,
    ],
    [['--set', 'num.partitions=0'], /^odradek: --set: Invalid value 0 for configuration num\.partitions: /],
    [['--log-level', 'loud'], /^odradek: --set: Invalid value loud for configuration odradek\.log\.level: /],
    [['--config', 'missing.toml'], /^odradek: cannot read missing\.toml: there is no such file\n$/],
    [
      ['--set', 'listeners=SSL://:0'],
      /^odradek: listener SSL asks for SSL, which is not served; served: PLAINTEXT\n$/,
    ],
    [
      ['--port', '1', '--set', 'listeners=PLAINTEXT://:0'],
      /^odradek: port or host and the setting listeners=/,
    ],
    [
      ['--memory', '--host', '192.0.2.1', '--port', '0'],
      /^odradek: 192\.0\.2\.1 is not an address of this machine; /,
    ],
    [['--memory', '--host', 'no.such.host.invalid', '--port', '0'], /^odradek: .*no\.such\.host\.invalid/],
  ])('%j', async (args, line) => {
    const { code, stdout, stderr } = await run(...args)
    expect(stderr).toMatch(line)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test('a bad value in the environment', async () => {
    const { code, stderr } = await new Cli(['--memory'], { env: { KAFKA_NUM_PARTITIONS: 'x' } }).ended
    expect(stderr).toBe(
      'odradek: environment: Invalid value x for configuration num.partitions: Not a number of type INT\n',
    )
    expect(code).toBe(1)
  })

  test('a port in use', async () => {
    const server = createServer()
    const port = await new Promise<number>(resolve => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const { code, stderr } = await run('--memory', '--port', String(port), '--log-level', 'silent')
    server.close()
    expect(stderr).toMatch(new RegExp(`^odradek: port ${port} of 127\\.0\\.0\\.1 is in use; .*--port\\n$`))
    expect(code).toBe(1)
  })

  test('a data directory in use by another broker, which goes on', async () => {
    const data = newFolder()
    const first = new Cli(['--port', '0', '--data', data])
    await first.ready()
    const { code, stdout, stderr } = await run('--port', '0', '--data', data, '--log-level', 'silent')
    expect(stderr).toMatch(/^odradek: .* is in use by process \d+.*\n$/)
    expect(stderr.split('\n')).toHaveLength(2)
    expect([code, stdout]).toEqual([1, ''])
    first.child.kill('SIGTERM')
    expect((await first.ended).code).toBe(0)
  })

  test.each([
    ['odradek data directory, format 999\n', /format 999, .*use a newer odradek/],
    ['something else', /is not an odradek data directory/],
  ])('a data directory whose format is %j', async (format, line) => {
    const data = newFolder()
    writeFileSync(join(data, 'format'), format)
    const { code, stdout, stderr } = await run('--port', '0', '--data', data, '--log-level', 'silent')
    expect(stderr).toMatch(line)
    expect(stderr.split('\n')).toHaveLength(2)
    expect([code, stdout]).toEqual([1, ''])
  })

  test.each([
    ['a file in place of the data directory', 'file', /is not a directory|is not in a directory/],
    ['a data directory below a file', 'file/below', /is not in a directory/],
  ])('%s', async (_, name, line) => {
    const parent = newFolder()
    writeFileSync(join(parent, 'file'), '')
    const { code, stderr } = await run('--port', '0', '--data', join(parent, name), '--log-level', 'silent')
    expect(stderr).toMatch(line)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(code).toBe(1)
  })
})

describe('a broker', () => {
  test('stays for as long as it takes to see that an owner in another container is gone', async () => {
    const data = newFolder()
    writeFileSync(join(data, 'lock'), '1 1 abc elsewhere\n')
    const touched = Date.now() / 1000 - 4
    utimesSync(join(data, 'lock'), touched, touched)
    const cli = new Cli(['--port', '0', '--data', data])
    expect(await cli.ready()).toMatch(/^127/)
    cli.child.kill('SIGTERM')
    expect((await cli.ended).code).toBe(0)
  })

  test('says where it is bound, whatever clients are told', async () => {
    const cli = new Cli([
      '--port',
      '0',
      '--memory',
      '--set',
      'advertised.listeners=PLAINTEXT://example.test:1234',
    ])
    const client = await WireClient.connect(await cli.ready())
    await client.close()
    cli.child.kill('SIGTERM')
    expect((await cli.ended).code).toBe(0)
  })

  test('says one line on standard output when it is ready, logs to standard error, and ends well', async () => {
    const data = newFolder()
    const cli = new Cli(['--port', '0', '--data', data], { env: { KAFKA_NUM_PARTITON: '3' } })
    const address = await cli.ready()
    const client = await WireClient.connect(address)
    await client.close()
    cli.child.kill('SIGTERM')
    const { code, stdout, stderr } = await cli.ended
    expect(code).toBe(0)
    expect(stdout).toBe(`listening on ${address}\n`)
    const logged = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { msg: string })
    expect(logged.map(({ msg }) => msg)).toContain('KAFKA_NUM_PARTITON is no setting and is ignored')
    expect(readdirSync(data)).not.toEqual([])
  })

  test('takes its settings from flags, environment and file', async () => {
    const file = join(folder, 'broker.toml')
    writeFileSync(file, 'num.partitions = 2\n[broker]\nrack = "file"\n[odradek.log]\nlevel = "silent"')
    const cli = new Cli(['--memory', '--port', '0', '--config', file, '--set', 'fetch.max.bytes=5000'], {
      env: { KAFKA_BROKER_RACK: 'environment' },
    })
    const client = await WireClient.connect(await cli.ready())
    const configurationKeys = ['num.partitions', 'broker.rack', 'fetch.max.bytes', 'odradek.storage']
    const { results } = await client.call(describeConfigs, 4, {
      resources: [{ resourceType: 4, resourceName: '1', configurationKeys }],
    })
    const found = Object.fromEntries(results[0]!.configs.map(({ name, value }) => [name, value]))
    expect(found).toEqual({
      'num.partitions': '2',
      'broker.rack': 'environment',
      'fetch.max.bytes': '5000',
      'odradek.storage': 'memory',
    })
    await client.close()
    cli.child.kill('SIGINT')
    expect((await cli.ended).code).toBe(0)
  })

  test('in memory leaves nothing behind; without a word, it makes odradek-data', async () => {
    const cwd = join(folder, 'cwd')
    mkdirSync(cwd)
    const memory = new Cli(['--memory', '--port', '0'], { cwd })
    await memory.ready()
    memory.child.kill('SIGTERM')
    await memory.ended
    expect(readdirSync(cwd)).toEqual([])
    const files = new Cli(['--port', '0'], { cwd })
    await files.ready()
    files.child.kill('SIGTERM')
    await files.ended
    expect(existsSync(join(cwd, 'odradek-data'))).toBe(true)
  })

  test('ends at once with code 1 when a second signal comes while it closes', async () => {
    const cli = new Cli(['--port', '0', '--data', newFolder()])
    await cli.ready()
    cli.child.kill('SIGTERM')
    cli.child.kill('SIGINT')
    expect((await cli.ended).code).toBe(1)
  })

  test.each([
    ['an exception that nobody caught', 'throw new Error("boom")'],
    ['a rejection that nobody handled', 'Promise.reject(new Error("boom"))'],
  ])('ends with code 70 and a loud line on %s', async (_, accident) => {
    const script = `process.once('SIGUSR2', () => { ${accident} })`
    const preloaded = `data:text/javascript,${encodeURIComponent(script)}`
    const cli = new Cli(['--memory', '--port', '0'], { env: { NODE_OPTIONS: `--import=${preloaded}` } })
    await cli.ready()
    cli.child.kill('SIGUSR2')
    const { code, stderr } = await cli.ended
    expect(code).toBe(70)
    expect(stderr).toContain('odradek ran into a bug of its own')
    expect(stderr).toContain('boom')
  })
})

/** What `dump` says of a directory, line by line. */
async function dump(
  data: string,
  ...args: string[]
): Promise<{ type: string; lsn: number; topic: string }[]> {
  const { code, stdout, stderr } = await run('dump', '--data', data, '--json', ...args)
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('a data directory without a broker', () => {
  test('is shown, is sound, and is had back as it was before a topic was deleted by mistake', async () => {
    const data = newFolder()
    const first = new Cli(['--port', '0', '--data', data])
    const client = await WireClient.connect(await first.ready())
    const orders = await makeTopic(client, { name: 'orders' })
    await produceTo(client, orders, batchOf(['one', 'two']))
    await commitTo(client, 'readers', orders, { 0: 1n })
    const before = new Date().toISOString()
    await new Promise(resolve => setTimeout(resolve, 2))
    await produceTo(client, orders, batchOf(['three']))
    await commitTo(client, 'readers', orders, { 0: 3n })
    await client.call(deleteTopics, 6, { topics: [{ name: 'orders' }], timeoutMs: 1000 })
    await makeTopic(client, { name: 'later' })
    await client.close()

    const inUse = await run('verify', '--data', data)
    expect(inUse).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^odradek: .* is in use by process \d+\n$/),
    })
    first.child.kill('SIGTERM')
    await first.ended

    const verified = await run('verify', '--data', data)
    // On a busy machine it takes long enough to speak of its progress.
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sound: 1 shard, /) })
    const deletion = (await dump(data, '--batches')).findLast(({ topic }) => topic === 'orders')!

    for (const [flag, point, values, committed] of [
      ['--to-lsn', String(deletion.lsn), ['0:one', '1:two', '2:three'], undefined],
      ['--to-time', before, ['0:one', '1:two'], 1n],
    ] as const) {
      const out = join(newFolder(), 'out')
      const restored = await run('restore', '--data', data, flag, point, '--out', out)
      expect(restored).toEqual({ code: 0, stdout: expect.stringContaining(' as of LSN '), stderr: '' })
      const cli = new Cli(['--port', '0', '--data', out])
      const reader = await WireClient.connect(await cli.ready())
      expect(recordsIn(await fetchFrom(reader, orders))).toEqual(values)
      expect((await latest(reader, 'later')).errorCode).not.toBe(0)
      if (committed !== undefined) {
        const { groups } = await reader.call(offsetFetch, 8, {
          groups: [{ groupId: 'readers', topics: null }],
        })
        expect(groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(committed)
      }
      await reader.close()
      cli.child.kill('SIGTERM')
      await cli.ended
    }
  })

  test('is called unsound, with exit code 1 and a line for each reason, where it is', async () => {
    const data = newFolder()
    const cli = new Cli(['--port', '0', '--data', data])
    await cli.ready()
    cli.child.kill('SIGTERM')
    await cli.ended
    const log = join(data, 'shard-0', '00000000000000000001.log')
    const bytes = readFileSync(log)
    bytes[200]! ^= 1
    writeFileSync(log, bytes)
    const { code, stdout } = await run('verify', '--data', data)
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^unsound: shard-0\/.*\.log is broken at 0, behind block 0: a batch that its row does not /,
      ),
      expect.stringMatching(
        /^unsound: shard-0\/checkpoint: __cluster_metadata-0: it ends at 1, the blocks end it at no /,
      ),
      expect.stringMatching(/^2 things unsound: /),
    ])
    expect(code).toBe(1)
    const restored = await run('restore', '--data', data, '--to-lsn', '1', '--out', join(data, 'out'))
    expect(restored.stderr).toMatch(/^odradek: the metadata at offset 0 has a wrong checksum.*\n$/)
    expect(restored.code).toBe(1)
  })

  test.each([
    [
      ['verify', '--data', 'nowhere'],
      /^odradek: nowhere is not an odradek data directory: it has no file "format"\n$/,
    ],
    [['dump'], /^odradek: required option '--data <dir>' not specified\n$/],
    [
      ['restore', '--data', 'nowhere', '--out', 'out'],
      /^odradek: restore needs one of --to-lsn and --to-time\n$/,
    ],
    [
      ['restore', '--data', 'd', '--out', 'o', '--to-time', 'noon'],
      /^odradek: --to-time noon: a time is ISO 8601 /,
    ],
  ])('%j is one line and exit code 1', async (args, line) => {
    const { code, stdout, stderr } = await run(...args)
    expect(stderr).toMatch(line)
    expect([code, stdout]).toEqual([1, ''])
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
  })
})
