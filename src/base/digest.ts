import { hash } from 'node:crypto'

/** The SHA-256 of `bytes`, 32 bytes: what two different inputs do not share. */
export function digest(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer')
}
