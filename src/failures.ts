import { KafkaError } from './protocol/errors.ts'

/** What to do about an error of the operating system; `at` is the path or address that it is about. */
const advice: Record<string, ((at: string) => string) | undefined> = {
  EADDRINUSE: at => `${at} is in use; stop what listens there, or choose another port with --port`,
  EADDRNOTAVAIL: at => `${at} is not an address of this machine; choose one that is with --host`,
  ENOTFOUND: at => `the host ${at} is unknown; choose another with --host`,
  EACCES: at => `no permission for ${at}; give --data a directory, or --port a port, that this user may use`,
  EPERM: at => `no permission for ${at}; give --data a directory that this user may use`,
  ENOSPC: at => `no space left for ${at}; make room, or choose another directory with --data`,
  EDQUOT: at => `the disk quota leaves no room for ${at}; make room, or choose another directory with --data`,
  EROFS: at =>
    `${at} cannot be written to, its file system is read-only; choose another directory with --data`,
  ENOTDIR: at => `${at} is not in a directory; choose another directory with --data`,
  EEXIST: at => `${at} is not a directory; choose another directory with --data`,
  EISDIR: at => `${at} is a directory where a file should be; choose another directory with --data`,
  ENOENT: at => `${at} cannot be made; choose another directory with --data`,
  EIO: at => `the disk failed at ${at}; see to the disk, or choose another directory with --data`,
  EMFILE: at => `too many open files at ${at}; raise the limit, as with ulimit -n`,
  ENFILE: at => `too many open files on this machine, at ${at}`,
}

/**
 * Why the broker could not start and what to do, in one line. Undefined for what nobody foresaw: our bug, which is loud.
 * Errors of options and storage bring their line with them; those of the system get one here.
 */
export function failureLine(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error.name === 'ConfigError' || /^(?:Storage\w*|Sequencer)Error$/.test(error.name))
    return oneLine(error.message)
  // The first commit of all failed.
  if (error instanceof KafkaError && error.error === 'KAFKA_STORAGE_ERROR') return oneLine(error.message)
  const { code, path, address, port, hostname } = error as NodeJS.ErrnoException & Place
  if (code === undefined || !('errno' in error)) return undefined
  const at =
    path ??
    (address === undefined || port === undefined ? (address ?? hostname) : `port ${port} of ${address}`)
  return (at !== undefined && advice[code]?.(at)) || oneLine(error.message)
}

/** What Node says of where a socket failed. */
interface Place {
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}
