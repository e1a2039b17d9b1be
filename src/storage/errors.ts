/** The data directory was written by a newer version, or is none. The message says what to do about it. */
export class StorageFormatError extends Error {
  override readonly name = 'StorageFormatError'
}

/** A point in time that cannot be brought back, or not to there. The message says why. */
export class StorageRestoreError extends Error {
  override readonly name = 'StorageRestoreError'
}

/** What was synced is not there as it was written, and it may be what everything else is found by. */
export class StorageDamagedError extends Error {
  override readonly name = 'StorageDamagedError'
}

/** Something was asked for by a name that nothing has. */
export class StorageNameError extends Error {
  override readonly name = 'StorageNameError'
}
