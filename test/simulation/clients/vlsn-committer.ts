import { offsetCommit } from '../../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../../src/broker/apis/09-offset-fetch.ts'
import { incrementalAlterConfigs } from '../../../src/broker/apis/44-incremental-alter-configs.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { strategies, VlsnGroupLedger, type StrategyName, type Told } from './vlsn-group-ledger.ts'
import { vlsnLedgerOf, type VlsnLedger } from './vlsn-ledger.ts'
import { fetchNumbered } from './vlsn-reads.ts'

/** After this nothing that was sent to a broker that lives is still on its way. */
const settledMs = 5_000
const groupResource = 32
/** Whatever else it hears is our bug. */
const expected = new Set([
  'NONE',
  'KAFKA_STORAGE_ERROR',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
])

/** Reads all partitions of a VLSN topic and commits some, or all, of where it is; is killed, goes on, and changes its strategy. */
export const vlsnCommitter: ClientModule = {
  name: 'VLSN committer',
  make: (world, index) => new VlsnCommitter(world, index),
}

class VlsnCommitter implements SimulatedClient {
  readonly #world: World
  readonly #topic: VlsnLedger
  readonly #ledger: VlsnGroupLedger
  /** Undefined where an answer is missing. */
  #strategy: StrategyName | undefined = 'per_partition'
  /** Where each partition goes on; undefined for one that was just started. */
  #positions: bigint[] | undefined
  #portBefore = 0

  constructor(world: World, index: number) {
    this.#world = world
    this.#topic = vlsnLedgerOf(world)
    this.#ledger = new VlsnGroupLedger(`numbered-readers-${index}`, this.#topic)
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      const { random } = this.#world
      // A commit that was sent to a broker which has not died may still be served.
      if (this.#portBefore === this.#world.port) await this.#world.sleep(settledMs)
      this.#portBefore = this.#world.port
      if (random.below(2) === 0) this.#positions = undefined
      while (!this.#world.isOver) {
        if (this.#topic.isMade) await this.#act(caller)
        await this.#world.sleep(random.below(150))
      }
    })
  }

  async #act(caller: Caller): Promise<void> {
    const what = this.#world.random.below(100)
    const strategy = this.#strategy
    if (strategy === undefined || what < 3) return this.#choose(caller)
    if (!this.#positions || what < 8) return this.#resume(caller)
    if (what < 60) return this.#read(caller, this.#positions)
    return this.#commit(caller, this.#positions, strategy)
  }

  async #choose(caller: Caller): Promise<void> {
    const strategy = this.#world.pick(strategies)!
    this.#strategy = undefined
    if (strategy === 'vlsn') this.#ledger.folds()
    const configs = [{ name: 'odradek.commit.strategy', configOperation: 0, value: strategy }]
    const resources = [{ resourceType: groupResource, resourceName: this.#ledger.groupId, configs }]
    const answer = await caller.call(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    if (this.#isFine('IncrementalAlterConfigs', answer.responses[0]!.errorCode)) this.#strategy = strategy
  }

  /** A process of this group is started anew. */
  async #resume(caller: Caller): Promise<void> {
    const told = await this.#told(caller)
    if (told) this.#positions = told.offsets.map(offset => (offset < 0n ? 0n : offset))
  }

  async #told(caller: Caller): Promise<Told | undefined> {
    const { topic, view, partitionCount } = this.#topic
    const { groupId } = this.#ledger
    const topics = [
      { name: topic, partitionIndexes: Array.from({ length: partitionCount }, (_, partition) => partition) },
      { name: view, partitionIndexes: [0] },
    ]
    const { groups } = await caller.call(offsetFetch, 8, { groups: [{ groupId, topics }] })
    if (!this.#isFine('OffsetFetch', groups[0]!.errorCode)) return undefined
    const [offsets, number] = groups[0]!.topics.map(({ partitions }) => {
      for (const { errorCode } of partitions)
        hold(errorCode === 0, () => `a commit of ${groupId} cannot be fetched: ${errorName(errorCode)}`)
      return partitions.map(({ committedOffset }) => committedOffset)
    })
    const told = { offsets: offsets!, number: number![0]! }
    this.#ledger.check(told, this.#strategy)
    return told
  }

  async #read(caller: Caller, positions: bigint[]): Promise<void> {
    const partition = this.#world.random.below(positions.length)
    const fetchOffset = positions[partition]!
    const lengthMax = 1 + this.#world.random.below(2_000)
    const from = { topic: this.#topic.topic, partition, fetchOffset }
    const { error, records } = await fetchNumbered(caller, from, { lengthMax })
    hold(
      error === 'NONE' || error === 'KAFKA_STORAGE_ERROR',
      () => `partition ${partition} cannot be read from ${fetchOffset} on: ${error}`,
    )
    for (const { offset, vlsn } of records) this.#topic.readPartition(partition, offset, vlsn)
    if (records.length > 0) positions[partition] = records.at(-1)!.offset + 1n
  }

  async #commit(caller: Caller, positions: readonly bigint[], strategy: StrategyName): Promise<void> {
    const { random } = this.#world
    const isAll = random.below(2) === 0
    const offsets = new Map([...positions.entries()].filter(() => isAll || random.below(2) === 0))
    if (offsets.size === 0) return
    const { groupId } = this.#ledger
    const partitions = Array.from(offsets, ([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: null,
    }))
    this.#ledger.attempt(offsets)
    const { end } = this.#topic
    const { topics } = await caller.call(offsetCommit, 9, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: this.#topic.topic, partitions }],
    })
    const codes = new Set(topics[0]!.partitions.map(({ errorCode }) => errorCode))
    hold(codes.size === 1, () => `a commit of ${groupId} has fared differently in its partitions`)
    const [code] = codes
    if (this.#isFine('OffsetCommit', code!)) this.#ledger.committed(offsets, strategy, end)
  }

  #isFine(api: string, errorCode: number): boolean {
    this.#world.count(`${api} of VLSNs`, errorCode)
    const error = errorName(errorCode)
    hold(expected.has(error), () => `${this.#ledger.groupId} was refused ${api} with ${error}`)
    return error === 'NONE'
  }

  async verify(caller: Caller): Promise<void> {
    if (this.#topic.isMade) await this.#told(caller)
  }
}
