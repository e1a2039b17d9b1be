import type { Random } from '../../src/base/random.ts'

/** What a disk writes whole or not at all, in bytes. */
export const sectorLength = 512

/** A sector as it stood after one of the changes that were not synced since. */
interface Version {
  readonly change: number
  readonly bytes: Buffer
  /** The file was cut here, so that nothing older can come back once the cut has. */
  readonly isCut: boolean
}

interface Size {
  readonly change: number
  readonly size: number
}

/**
 * The bytes of one file: as those see them who read it, and as they lie on the disk. What was written since the last sync
 * is pending, sector by sector, and a crash may keep any of the states that each sector had since then.
 */
export class SimulatedFile {
  #live: Buffer = Buffer.alloc(0)
  #size = 0
  #durable: Buffer = Buffer.alloc(0)
  #durableSize = 0
  #sectors = new Map<number, Version[]>()
  #sizes: Size[] = []
  #changes = 0
  /** Sectors that look clean and are not on the disk, since a sync has failed. */
  #lost = new Set<number>()

  get size(): number {
    return this.#size
  }

  /** Changes so far; what a sync that begins now makes durable. */
  get changes(): number {
    return this.#changes
  }

  get isClean(): boolean {
    return this.#sectors.size === 0 && this.#sizes.length === 0
  }

  write(position: number, bytes: Buffer): void {
    if (bytes.length === 0) return
    const end = position + bytes.length
    this.#live = withRoom(this.#live, end)
    bytes.copy(this.#live, position)
    this.#changes++
    this.#touch(position, end, false)
    const isLonger = end > this.#size
    if (isLonger) this.#size = end
    // After a failed sync the size on disk may lag behind; a new write brings it along.
    if (isLonger || end > this.#durableSize) this.#sizes.push({ change: this.#changes, size: this.#size })
  }

  truncate(size: number): void {
    this.#changes++
    if (size < this.#size) {
      this.#live.fill(0, size, this.#size)
      this.#touch(size, this.#size, true)
    }
    this.#live = withRoom(this.#live, size)
    this.#size = size
    this.#sizes.push({ change: this.#changes, size })
  }

  read(position: number, into: Buffer): number {
    return this.#live.copy(
      into,
      0,
      Math.min(position, this.#size),
      Math.min(position + into.length, this.#size),
    )
  }

  /** Everything up to this change is on the disk. */
  settle(change: number): void {
    for (const [sector, versions] of this.#sectors) {
      const last = versions.findLastIndex(version => version.change <= change)
      if (last >= 0) this.#store(sector, versions[last]!.bytes)
      this.#keepAfter(sector, versions, last)
    }
    const last = this.#sizes.findLastIndex(size => size.change <= change)
    if (last >= 0) this.#durableSize = this.#sizes[last]!.size
    this.#sizes.splice(0, last + 1)
  }

  /**
   * A sync up to this change has failed: what was pending looks clean and will not be written again; some of it may be
   * on the disk ("fsyncgate").
   */
  lose(change: number, random: Random): void {
    for (const [sector, versions] of this.#sectors) {
      const last = versions.findLastIndex(version => version.change <= change)
      if (last < 0) continue
      const kept = random.below(last + 2) - 1
      if (kept >= 0) this.#store(sector, versions[kept]!.bytes)
      if (kept < last) this.#lost.add(sector)
      this.#keepAfter(sector, versions, last)
    }
    const last = this.#sizes.findLastIndex(size => size.change <= change)
    const kept = random.below(last + 2) - 1
    if (kept >= 0) this.#durableSize = this.#sizes[kept]!.size
    this.#sizes.splice(0, last + 1)
  }

  /** Memory is short: sectors that look clean are dropped, and whoever reads on reads what is on the disk. */
  evict(): void {
    for (const sector of this.#lost) {
      const at = sector * sectorLength
      if (this.#sectors.has(sector) || at >= this.#size) continue
      const end = Math.min(at + sectorLength, this.#size)
      this.#live.fill(0, at, end)
      const durableEnd = Math.min(end, this.#durableSize)
      if (durableEnd > at && this.#durable.length > at) this.#durable.copy(this.#live, at, at, durableEnd)
    }
    this.#lost.clear()
  }

  /** What a power cut at this moment may leave. */
  crashed(random: Random): SimulatedFile {
    const file = new SimulatedFile()
    const fate = random.below(4)
    // Nothing, everything, or something of each.
    const choose = (count: number): number =>
      fate === 0 ? -1 : fate === 1 ? count - 1 : random.below(count + 1) - 1
    const size = choose(this.#sizes.length)
    const committed = size < 0 ? -1 : this.#sizes[size]!.change
    file.#durableSize = size < 0 ? this.#durableSize : this.#sizes[size]!.size
    file.#durable = Buffer.from(this.#durable)
    const changed: number[] = []
    for (const [sector, versions] of this.#sectors) {
      const cut = versions.findLastIndex(version => version.isCut && version.change <= committed)
      const chosen = Math.max(choose(versions.length), cut)
      if (chosen < 0) continue
      file.#store(sector, versions[chosen]!.bytes)
      if (!versions[chosen]!.isCut) changed.push(sector)
    }
    if (changed.length > 0 && random.below(4) === 0) {
      file.#flip(changed[random.below(changed.length)]!, this.#durable, random)
    }
    file.#durable = withRoom(file.#durable, file.#durableSize)
    file.#durable.fill(0, file.#durableSize)
    file.#live = Buffer.from(file.#durable)
    file.#size = file.#durableSize
    return file
  }

  /** One bit is wrong among those of a sector that were being changed. */
  #flip(sector: number, before: Buffer, random: Random): void {
    const at = sector * sectorLength
    const changed: number[] = []
    for (let index = at; index < at + sectorLength; index++) {
      if (this.#durable[index] !== (before[index] ?? 0)) changed.push(index)
    }
    if (changed.length === 0) return
    this.#durable[changed[random.below(changed.length)]!]! ^= 1 << random.below(8)
  }

  #touch(from: number, to: number, isCut: boolean): void {
    const first = Math.floor(from / sectorLength)
    const end = Math.ceil(to / sectorLength)
    const states = Buffer.allocUnsafe((end - first) * sectorLength)
    states.fill(0, this.#live.copy(states, 0, first * sectorLength, end * sectorLength))
    for (let sector = first; sector < end; sector++) {
      const at = (sector - first) * sectorLength
      const bytes = states.subarray(at, at + sectorLength)
      const version = { change: this.#changes, bytes, isCut }
      const versions = this.#sectors.get(sector)
      if (versions) versions.push(version)
      else this.#sectors.set(sector, [version])
    }
  }

  #store(sector: number, bytes: Buffer): void {
    this.#durable = withRoom(this.#durable, (sector + 1) * sectorLength)
    bytes.copy(this.#durable, sector * sectorLength)
  }

  #keepAfter(sector: number, versions: Version[], last: number): void {
    if (last === versions.length - 1) this.#sectors.delete(sector)
    else versions.splice(0, last + 1)
  }
}

function withRoom(bytes: Buffer, length: number): Buffer {
  if (bytes.length >= length) return bytes
  const larger = Buffer.alloc(Math.max(length, 2 * bytes.length, sectorLength))
  bytes.copy(larger)
  return larger
}
