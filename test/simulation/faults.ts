import type { Random } from '../../src/base/random.ts'
import type { Fault, SystemCallKind } from './simulated-disk.ts'

/** How each call fails, the more often the more often it is said. */
const faultsOf: Record<SystemCallKind, readonly Fault[]> = {
  open: ['EMFILE'],
  create: ['ENOSPC', 'EMFILE'],
  read: ['EIO'],
  'read-now': ['EIO'],
  write: ['EIO', 'ENOSPC', 'short', 'short', 'short', 'short'],
  sync: ['EIO'],
  truncate: ['EIO', 'ENOSPC'],
  // Memory takes whatever it is given.
  store: [],
  mkdir: ['ENOSPC'],
  rename: ['EIO'],
  unlink: ['EIO'],
  'sync-folder': ['EIO'],
}

/** Makes one call in `rarity` fail. */
export function drawFault(kind: SystemCallKind, rarity: number, random: Random): Fault | undefined {
  if (random.below(rarity) > 0) return undefined
  const faults = faultsOf[kind]
  return faults[random.below(faults.length)]
}

/** Whether an error goes back to a call that was made to fail, or says that nothing more is done after one. */
export function isFault(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return /made by the simulation/.test(message) || code === 'EIO'
}
