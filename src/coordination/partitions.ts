import type { CoordinationEnvironment } from './environment.ts'
import { CoordinatorPartition } from './partition.ts'
import { partitionFor } from './partitioner.ts'
import type { CoordinatedState, CoordinatorKind } from './state.ts'
import type { StateTopic } from './state-topic.ts'
import type { Decide } from './turn.ts'

/** All partitions of a coordinator. What belongs to one key is decided in one of them, in the order of the calls. */
export class CoordinatorPartitions<State extends CoordinatedState, Env extends CoordinationEnvironment> {
  readonly #partitions: readonly CoordinatorPartition<State, Env>[]

  constructor(kind: CoordinatorKind<State, Env>, topic: StateTopic, environment: Env) {
    this.#partitions = Array.from(
      { length: topic.partitionCount },
      (_, partition) => new CoordinatorPartition(kind, partition, topic, environment),
    )
  }

  /** The number of the partition that coordinates `key`. */
  numberFor(key: string): number {
    return partitionFor(key, this.#partitions.length)
  }

  /** The partition of this number, if there is one. */
  at(partition: number): CoordinatorPartition<State, Env> | undefined {
    return this.#partitions[partition]
  }

  /** Runs one operation in the partition of `key`; see `CoordinatorPartition.run`. */
  run<Reply>(key: string, decide: Decide<Reply, State, Env>): Promise<Reply> {
    return this.#partitions[this.numberFor(key)]!.run(decide)
  }

  /** Runs an operation in every partition, each on its own: what each replies, in order. */
  runEach<Reply>(decide: Decide<Reply, State, Env>): Promise<Reply>[] {
    return this.#partitions.map(partition => partition.run(decide))
  }

  /** What the partition of `key` knows now, be it synced or not; undefined while its log is being read. */
  stateFor(key: string): State | undefined {
    return this.#partitions[this.numberFor(key)]!.state
  }

  /** Reads the whole topic. */
  async load(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.load()))
  }

  /** The topic was deleted, and with it everything that it said. */
  reset(): void {
    for (const partition of this.#partitions) partition.reset()
  }

  /** Answers everybody who waits, and takes no more. */
  async close(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.close()))
  }

  /** Compares all that is known with the log. Returns what is unsound, in words. */
  async audit(): Promise<string[]> {
    return (await Promise.all(this.#partitions.map(partition => partition.audit()))).flat()
  }
}
