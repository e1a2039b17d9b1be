import { systemClock } from '../base/clock.ts'
import { nodeDisk } from '../base/disk.ts'
import { Settings } from '../broker/configs/settings.ts'
import { atRest } from '../storage/inspection/at-rest.ts'
import { dumpDirectory, type DumpOptions } from './dump.ts'
import { jsonWriter, tableWriter } from './dump-lines.ts'
import { streamOutput } from './output.ts'
import { Progress } from './progress.ts'
import { pointOf, restoreDirectory } from './restore.ts'
import { printVerification, verifyDirectory } from './verify.ts'

const output = streamOutput(process.stdout)

export interface DumpFlags extends DumpOptions {
  readonly data: string
  readonly json?: true
}

/** `odradek dump`. */
export async function dump({ data, json, ...options }: DumpFlags): Promise<boolean> {
  const writer = json ? jsonWriter(output) : tableWriter(output)
  await atRest(nodeDisk(data), data, disk => dumpDirectory(disk, options, writer))
  return true
}

/** `odradek verify`; resolves to whether everything is sound. */
export async function verify({ data }: { readonly data: string }): Promise<boolean> {
  const progress = new Progress(process.stderr, systemClock, 'verifying')
  const found = await atRest(nodeDisk(data), data, disk => verifyDirectory(disk, progress))
  return printVerification(found, output)
}

export interface RestoreFlags {
  readonly data: string
  readonly out: string
  readonly toLsn?: string
  readonly toTime?: string
}

/** `odradek restore`. */
export async function restore({ data, out, ...to }: RestoreFlags): Promise<boolean> {
  const point = pointOf(to)
  const strideRecords = new Settings(new Map()).get('odradek.stride.records')
  const { lsn, blockCount, entryCount, sizeInBytes } = await atRest(nodeDisk(data), data, disk =>
    restoreDirectory(disk, nodeDisk(out), { point, strideRecords }),
  )
  await output.line(
    `${out} is ${data} as of LSN ${lsn}: ${blockCount} blocks, ${entryCount} batches, ${sizeInBytes} bytes`,
  )
  return true
}
