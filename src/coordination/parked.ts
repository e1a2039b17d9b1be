import { errorCodes, type ErrorName } from '../protocol/errors.ts'

/** A request that waits in the coordinator for what other members do. Its first answer is the one that counts. */
export class Parked<Reply> {
  /** Never rejects: refusals are replies. */
  readonly reply: Promise<Reply>
  readonly #refusal: (errorCode: number) => Reply
  #resolve!: (reply: Reply) => void

  /** `refusal` gives the reply that says nothing but an error code. */
  constructor(refusal: (errorCode: number) => Reply) {
    this.#refusal = refusal
    this.reply = new Promise(resolve => (this.#resolve = resolve))
  }

  answer(reply: Reply): void {
    this.#resolve(reply)
  }

  refuse(error: ErrorName): void {
    this.#resolve(this.#refusal(errorCodes[error]))
  }
}
