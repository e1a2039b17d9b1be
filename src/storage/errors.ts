/** The data directory was written by a newer version, or is none. The message says what to do about it. */
export class StorageFormatError extends Error {
  override readonly name = 'StorageFormatError'
}
