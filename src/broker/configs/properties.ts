/**
 * Reads a `.properties` file as Java does (java.util.Properties.load): comments, `=`, `:` or white space after the key,
 * lines continued by a backslash, escapes. The last of two equal keys counts.
 */
export function parseProperties(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const end = keyLength(line)
    const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    values.set(unescape(line.slice(0, end)), unescape(rest))
  }
  return values
}

/** Lines without comments and blank ones, continued ones joined. */
function logicalLines(text: string): string[] {
  const lines: string[] = []
  let started: string | undefined
  for (const line of text.split(/\r\n|[\r\n]/)) {
    const trimmed = line.replace(/^[ \t\f]+/, '')
    if (started === undefined && (trimmed === '' || /^[#!]/.test(trimmed))) continue
    const whole = (started ?? '') + trimmed
    started = isContinued(trimmed) ? whole.slice(0, -1) : undefined
    if (started === undefined) lines.push(whole)
  }
  if (started !== undefined) lines.push(started)
  return lines
}

/** An odd number of backslashes at the end: the last of them is not itself escaped. */
function isContinued(line: string): boolean {
  return /\\*$/.exec(line)![0].length % 2 === 1
}

function keyLength(line: string): number {
  return /^(?:\\.|[^\\=: \t\f])*/s.exec(line)![0].length
}

const escapes: Record<string, string | undefined> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|(.)|$)/gis,
    (_, code: string | undefined, single: string | undefined) =>
      code === undefined
        ? (escapes[single ?? ''] ?? single ?? '')
        : String.fromCharCode(Number.parseInt(code, 16)),
  )
}
