import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'

// What needs a file system in a certain state; the rest is in test/cli.test.ts.

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const folder = mkdtempSync(join(tmpdir(), 'odradek-start-'))
afterAll(() => rmSync(folder, { recursive: true }))
// Another user's process must be able to come this far.
chmodSync(folder, 0o755)

const isRoot = process.getuid?.() === 0
const nobody = 65_534
let folderCount = 0

function newFolder(): string {
  return mkdtempSync(join(folder, `${++folderCount}-`))
}

/** Runs the command line to its end, as root's own only where need be. */
function run(args: readonly string[], options: { uid?: number; shell?: string } = {}): unknown {
  const command = [process.execPath, cli, '--port', '0', '--log-level', 'silent', ...args]
  const [program, ...rest] = options.shell === undefined ? command : ['sh', '-c', options.shell, ...command]
  const { status, stdout, stderr } = spawnSync(program!, rest, {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
    // A broker that starts after all would go on for good.
    timeout: 60_000,
    killSignal: 'SIGKILL',
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  return { code: status, stdout, lines: stderr.split('\n') }
}

const failure = (line: RegExp): object => ({ code: 1, stdout: '', lines: [expect.stringMatching(line), ''] })

test.each([
  ['a folder that may not be written in', 0o555],
  ['a folder that may not be entered', 0o000],
])('a data directory in %s', (_, mode) => {
  const parent = newFolder()
  chmodSync(parent, mode)
  onTestFinished(() => chmodSync(parent, 0o755))
  // Root may write anywhere, so it steps down.
  const outcome = run(['--data', join(parent, 'data')], isRoot ? { uid: nobody } : {})
  expect(outcome).toEqual(failure(/^odradek: no permission for .*; give --data a directory/))
})

test('a data directory that may be read and not written', () => {
  const data = newFolder()
  expect(run(['--data', data, '--set', 'num.partitions=0'])).toEqual(failure(/num\.partitions/))
  chmodSync(data, 0o555)
  onTestFinished(() => chmodSync(data, 0o755))
  if (isRoot) chownSync(data, nobody, nobody)
  expect(run(['--data', data], isRoot ? { uid: nobody } : {})).toEqual(
    failure(/^odradek: no permission for /),
  )
})

// How far a start comes depends on how much room there is.
test.runIf(isRoot).for([0, 4, 8])('a disk with room for %i KiB', (roomKiB, context) => {
  const disk = newFolder()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', disk])
  if (mounted.status !== 0) context.skip('no file system can be mounted here')
  onTestFinished(() => void execFileSync('umount', [disk]))
  writeFileSync(join(disk, 'filler'), Buffer.alloc((32 - roomKiB) * 1024))
  expect(run(['--data', join(disk, 'data')])).toEqual(failure(/^odradek: .*(no space left|ENOSPC)/))
})

test('a limit to the size of files', () => {
  const outcome = run(['--data', join(newFolder(), 'data')], { shell: 'ulimit -f 0; exec "$0" "$@"' })
  expect(outcome).toEqual(failure(/^odradek: .*EFBIG|too large/))
})

test.each([
  ['broker.toml', '[num]\npartition = 2\n'],
  ['server.properties', 'num.partition=2\n'],
])('an unknown setting in %s', (name, text) => {
  const file = join(newFolder(), name)
  writeFileSync(file, text)
  expect(run(['--memory', '--config', file])).toEqual(
    failure(/^odradek: .*unknown setting num\.partition; did you mean num\.partitions\?$/),
  )
})
