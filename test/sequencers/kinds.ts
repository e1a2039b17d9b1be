import type { MappableDisk } from '../../src/base/mapping.ts'
import { BitmapMmapSequencer } from '../../src/sequencers/bitmap-mmap.ts'
import { CheckpointSequencer } from '../../src/sequencers/checkpoint.ts'
import { FixedMmapSequencer } from '../../src/sequencers/fixed-mmap.ts'
import { ObeliskSequencer } from '../../src/sequencers/obelisk.ts'
import type { Sequencer } from '../../src/sequencers/sequencer.ts'

export interface Kind {
  readonly name: string
  readonly open: (disk: MappableDisk, name?: string) => Promise<Sequencer>
}

const capacity = 100_000

/** What survives a power loss number by number. */
export const syncedKinds: readonly Kind[] = [
  { name: 'obelisk', open: (disk, name = 'counter') => ObeliskSequencer.open(disk, name) },
  {
    name: 'obelisk, ahead',
    open: (disk, name = 'counter') => ObeliskSequencer.open(disk, name, { ahead: 7 }),
  },
  {
    name: 'checkpoint',
    open: (disk, name = 'counter') => CheckpointSequencer.open(disk, name, { every: 7 }),
  },
  { name: 'fixed mmap', open: (disk, name = 'counter') => FixedMmapSequencer.open(disk, name) },
  {
    name: 'bitmap mmap',
    open: (disk, name = 'counter') => BitmapMmapSequencer.open(disk, name, { capacity }),
  },
]

/** What survives a kill of the process, and a power loss as far as it was flushed. */
export const storedKinds: readonly Kind[] = [
  {
    name: 'fixed mmap, stored',
    open: (disk, name = 'counter') => FixedMmapSequencer.open(disk, name, { survives: 'kill' }),
  },
  {
    name: 'bitmap mmap, stored',
    open: (disk, name = 'counter') => BitmapMmapSequencer.open(disk, name, { capacity, survives: 'kill' }),
  },
]

export const kinds: readonly Kind[] = [...syncedKinds, ...storedKinds]
