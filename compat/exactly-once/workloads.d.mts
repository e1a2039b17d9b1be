/** A record as kafkajs gives it, as far as verdicts look at it. */
export interface Message {
  readonly partition: number
  readonly offset: string
  readonly key?: unknown
  readonly value: unknown
}

/** What a killed program does, and what its output has to be. */
export interface Workload {
  /** The value of one more record of input. */
  value(chance: { below(bound: number): number; pick<T>(list: readonly T[]): T }, number: number): string
  /** How many records the output must have for an input. */
  outputCount(input: readonly Message[]): number
  /** Whatever is wrong with an output, in words. */
  verdict(input: readonly Message[], output: readonly Message[]): string[]
}

/** Names what `actual` lacks, has twice, or has in another order than `expected`, whose values are unique. */
export function differences(place: string, expected: readonly string[], actual: readonly string[]): string[]

/** By the name of the program. */
export const workloads: { readonly transform: Workload; readonly 'word-count': Workload }
