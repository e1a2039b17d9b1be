/** One thing of a pattern, as it is repeated: an escape, a class, a parenthesis, a repetition, or a character. */
const tokens = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[\s\S]/gsu

/**
 * About how many characters a regular expression has once its counted repetitions are written out: `(ab){3}c` has 7. RE2
 * compiles a program of about that size, and a match follows all of it at once in the worst case.
 */
export function expandedSize(regex: string): number {
  /** The sizes of the groups that are open, the innermost last. */
  const open = [0]
  let last = 0
  for (const [token, least, most] of regex.matchAll(tokens)) {
    const depth = open.length - 1
    if (token === '(') {
      open.push(0)
      last = 0
      continue
    }
    if (token === ')' && depth > 0) {
      last = open.pop()! + 1
      open[depth - 1]! += last
    } else if (least !== undefined) {
      const times = Math.max(Number(least), Number(most ?? 0), 1)
      open[depth]! += last * (times - 1)
      last *= times
    } else {
      last = 1
      open[depth]! += 1
    }
  }
  return open.reduce((sum, size) => sum + size, 0)
}
