import type { Disk } from '../base/disk.ts'
import { StorageFormatError } from './errors.ts'

const formatName = 'format'
const formatVersion = 1
const unfinished = 'odradek data directory, not finished\n'

/** Makes sure that the disk holds what this version can read and write; marks a new one. Rejects with StorageFormatError. */
export async function checkFormat(disk: Disk): Promise<void> {
  const found = await disk.read(formatName)
  if (!found) return markFormat(disk)
  const version = /^odradek data directory, format (\d+)\n$/.exec(found.toString())?.[1]
  if (found.toString() === unfinished) {
    throw new StorageFormatError('a restore into this directory did not finish: remove it, and restore again')
  }
  if (version === undefined) {
    throw new StorageFormatError(
      'this is not an odradek data directory: its file "format" says something else; choose another one',
    )
  }
  if (Number(version) > formatVersion) {
    throw new StorageFormatError(
      `this data directory has format ${version}, this odradek knows ${formatVersion}: use a newer odradek, or another directory`,
    )
  }
}

/** Says that the directory is whole and of the present format. */
export function markFormat(disk: Disk): Promise<void> {
  return disk.replace(formatName, Buffer.from(`odradek data directory, format ${formatVersion}\n`))
}

/** Says that the directory is being made, and must not be used before `markFormat`. */
export function markUnfinished(disk: Disk): Promise<void> {
  return disk.replace(formatName, Buffer.from(unfinished))
}

/** Whether the directory was marked at all. */
export async function hasFormat(disk: Disk): Promise<boolean> {
  return (await disk.read(formatName)) !== undefined
}

/** The numbers of the shards that there are files of. */
export async function shardsOnDisk(disk: Disk): Promise<number[]> {
  return (await disk.list('')).flatMap(name => {
    const match = /^shard-(\d+)$/.exec(name)
    return match ? [Number(match[1])] : []
  })
}
