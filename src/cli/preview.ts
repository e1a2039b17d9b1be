const lengthMax = 80
const legible = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]*$/u

/** The beginning of some bytes for people to read: text where it is text, else hexadecimal behind `0x`; null for null. */
export function preview(bytes: Buffer | null): string | null {
  if (bytes === null) return null
  const head = bytes.subarray(0, lengthMax)
  const isCut = bytes.length > lengthMax
  // A cut may go through the last character.
  const text = isCut ? head.toString().replace(/\uFFFD+$/, '') : head.toString()
  const isText = legible.test(text) && !text.includes('\uFFFD')
  return `${isText ? text : `0x${head.toString('hex')}`}${isCut ? '…' : ''}`
}
