/** Where a command says what it has to say. */
export interface Output {
  /** Writes one line; who has much to say waits for it. */
  line(text: string): void | Promise<void>
}

/** Lines on a stream, no faster than it takes them. */
export function streamOutput(stream: NodeJS.WritableStream): Output {
  return {
    line(text) {
      if (stream.write(`${text}\n`)) return undefined
      return new Promise(resolve => void stream.once('drain', resolve))
    },
  }
}
