/** What a producer is to write with from now on. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** A decision cannot be made without a producer id that nobody has had: nothing was decided, and it is made again with one. */
export const needsProducerId = Symbol('needs a producer id')
