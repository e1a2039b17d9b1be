/** Why a sequencer hands out nothing. */
export type SequencerFailure =
  /** ENOSPC or EDQUOT: room has to be made; the next call tries again. */
  | 'disk full'
  /** The file would be larger than a file can be here. */
  | 'file too large'
  /** Any other error of the disk; `cause` has it. */
  | 'disk failed'
  /** There are no more numbers of this kind, ever. */
  | 'used up'
  /** The clock stands before what was handed out already, by more than is waited for. */
  | 'clock ran back'
  /** The file is not what this kind of sequencer has written. */
  | 'damaged'
  /** The name is open already in this process. Other processes are kept out by StorageInUseError. */
  | 'in use'
  | 'closed'

/** A sequencer cannot go on; numbers that were reserved for the failed call are lost, never given to another. */
export class SequencerError extends Error {
  override readonly name = 'SequencerError'
  readonly reason: SequencerFailure

  constructor(message: string, reason: SequencerFailure = 'disk failed', options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

const reasons: Record<string, SequencerFailure | undefined> = {
  ENOSPC: 'disk full',
  EDQUOT: 'disk full',
  EFBIG: 'file too large',
}

/** What an error of the disk means for a sequencer; `what` says what could not be done. One of a sequencer's own stays as it is. */
export function sequencerError(what: string, cause: unknown): SequencerError {
  if (cause instanceof SequencerError) return cause
  const { code = 'an error', message } = cause as NodeJS.ErrnoException
  return new SequencerError(`${what}: ${code} (${message})`, reasons[code] ?? 'disk failed', { cause })
}
