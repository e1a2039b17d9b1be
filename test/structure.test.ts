import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apis } from '../src/broker/apis/index.ts'

const root = join(import.meta.dirname, '..')
const source = join(root, 'src')

interface Import {
  readonly file: string
  readonly target: string
  /** Only types: gone once compiled. */
  readonly isType: boolean
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => path.split(sep).join('/'))
    .toSorted()
}

const files = filesIn('src')

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  const statements = text.matchAll(/^(?:import|export)\s(type\s)?[^'"`;]*?from '([^']+)'/gm)
  const dynamic = text.matchAll(/\bimport\('([^']+)'\)/g)
  return [
    ...[...statements].map(([, type, target]) => ({ file, target: target!, isType: type !== undefined })),
    ...[...dynamic].map(([, target]) => ({ file, target: target!, isType: false })),
  ]
}

const imports = files.flatMap(importsOf)

/** The file in `src` that an import leads to. */
function reached({ file, target }: Import): string {
  return relative(source, join(source, dirname(file), target))
    .split(sep)
    .join('/')
}

/** `broker` for everything in `src/broker`, the file itself for what lies in `src`. */
function houseOf(file: string): string {
  return file.split('/')[0]!
}

/** What each folder may know besides itself; see ARCHITECTURE.md. */
const below: Record<string, readonly string[]> = {
  base: [],
  protocol: ['base'],
  sequencers: ['base'],
  client: ['base', 'sequencers'],
  storage: ['base', 'protocol', 'sequencers'],
  coordination: ['base', 'protocol'],
  groups: ['base', 'protocol', 'coordination'],
  transactions: ['base', 'protocol', 'coordination'],
  vlsn: ['base', 'protocol', 'storage'],
  broker: ['base', 'protocol', 'sequencers', 'storage', 'vlsn', 'coordination', 'groups', 'transactions'],
  cli: [
    'base',
    'protocol',
    'sequencers',
    'storage',
    'vlsn',
    'coordination',
    'groups',
    'transactions',
    'broker',
  ],
}

describe('imports', () => {
  test('are found at all', () => {
    expect(imports.length).toBeGreaterThan(files.length)
  })

  test('go one way, from the broker down to base', () => {
    const folders = new Set(files.filter(file => file.includes('/')).map(houseOf))
    expect([...folders].filter(folder => !(folder in below))).toEqual([])
    const wrong = imports
      .filter(({ file, target }) => target.startsWith('.') && file.includes('/'))
      .filter(each => {
        const [from, to] = [houseOf(each.file), houseOf(reached(each))]
        return from !== to && !below[from]!.includes(to)
      })
    expect(wrong.map(each => `${each.file} imports ${reached(each)}`)).toEqual([])
  })

  test('of the sequencers lead to base alone, and to no package: they can be had without the broker', () => {
    const reachedFrom = (entry: string, found = new Set([entry])): Set<string> => {
      for (const each of imports.filter(({ file, isType }) => file === entry && !isType)) {
        if (!each.target.startsWith('.')) found.add(each.target)
        else if (!found.has(reached(each))) reachedFrom(reached(each), found.add(reached(each)))
      }
      return found
    }
    const outside = [...reachedFrom('sequencers/index.ts')].filter(
      name => !/^(?:sequencers|base)\//.test(name),
    )
    // Koffi is loaded where a file is mapped, and is optional.
    expect(outside.filter(name => !name.startsWith('node:'))).toEqual(['koffi'])
    expect(importers('koffi')).toEqual(['base/mapping.ts'])
  })

  test('of the client library name no Kafka client: its user brings one', () => {
    const packages = imports
      .filter(({ file, target }) => houseOf(file) === 'client' && !target.startsWith('.'))
      .map(({ target }) => target)
    expect(new Set(packages)).toEqual(new Set(['smol-toml']))
  })

  test('lead from the command line to the public door, and not back', () => {
    const toCli = imports.filter(each => reached(each) === 'cli.ts')
    expect(toCli).toEqual([])
  })
})

/** Who imports more than the types of a module. */
function importers(module: string): string[] {
  const found = imports.filter(({ target, isType }) => target === module && !isType)
  return [...new Set(found.map(({ file }) => file))]
}

/** Whose code says one of these words. */
function users(words: RegExp): string[] {
  return files.filter(file => words.test(withoutComments(readFileSync(join(source, file), 'utf8'))))
}

/** What the code does, not what it says. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

describe('the outside world', () => {
  test('of files is behind base/disk and its direct files, and packages behind base/package-file', () => {
    expect(importers('node:fs')).toEqual(['base/direct-file.ts', 'base/disk.ts', 'base/package-file.ts'])
    expect(importers('node:fs/promises')).toEqual([])
  })

  test('of time is behind base/clock; a memory disk answers a turn later, as disks do', () => {
    const words =
      /\bDate\.now\b|\bnew Date\(\)|(?<![.\w])performance\.|\bset(?:Timeout|Interval|Immediate)\(|\bprocess\.(?:hrtime|nextTick)\b/
    expect(users(words)).toEqual(['base/clock.ts', 'base/memory-disk.ts'])
    expect(importers('node:timers')).toEqual([])
    expect(importers('node:timers/promises')).toEqual([])
    expect(importers('node:perf_hooks')).toEqual([])
  })

  test('of chance is behind base/random; base/digest only hashes', () => {
    expect(importers('node:crypto')).toEqual(['base/digest.ts', 'base/random.ts'])
    expect(users(/\bMath\.random\b|\bcrypto\.(?:random|getRandom)/)).toEqual([])
  })

  test('of the network is behind the server and the sockets that it makes', () => {
    expect(importers('node:net')).toEqual(['broker/lent-reads.ts', 'broker/server.ts'])
    for (const module of ['node:http', 'node:https', 'node:tls', 'node:dgram', 'node:dns']) {
      expect(importers(module)).toEqual([])
    }
  })

  test('of the environment is read by the command line alone', () => {
    expect(users(/\bprocess\.(?:env|argv)\b/)).toEqual(['cli.ts'])
  })
})

/** The files of an API's own, as `NN-name`. */
function numbered(folder: string, ending: string): string[] {
  return filesIn(folder)
    .filter(file => /^\d\d-/.test(file))
    .map(file => file.slice(0, -ending.length))
}

function kebab(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}

describe('an API', () => {
  const tables = numbered('src/protocol/messages', '.ts')
  const rooms = numbered('src/broker/apis', '.ts')
  const tests = numbered('test/apis', '.test.ts')

  test('has a table, a room and a test of one name', () => {
    const served = apis.map(({ key, name }) => `${String(key).padStart(2, '0')}-${kebab(name)}`)
    expect(rooms).toEqual(served)
    expect(tests).toEqual(served)
    expect(served.filter(name => !tables.includes(name))).toEqual([])
  })

  test('is listed in the order of the keys', () => {
    const keys = apis.map(({ key }) => key)
    expect(keys).toEqual(keys.toSorted((a, b) => a - b))
  })
})
