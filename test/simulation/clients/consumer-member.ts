import { consumerGroupHeartbeat } from '../../../src/broker/apis/68-consumer-group-heartbeat.ts'
import { errorCodes } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import {
  LostError,
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { GroupLedger, partitionCount } from './group-ledger.ts'
import { commitNext, fetchCommits, makeTopic } from './group-requests.ts'
import { Claimant, PartitionClaims } from './partition-claims.ts'

const rebalanceTimeoutMs = 2_000
/** A commit that was sent before is not on its way any more. */
const settledMs = 5_000

/**
 * A member of a group by the consumer protocol (KIP-848): heartbeats, lets go of what it is told to, commits for what it works on,
 * falls silent, leaves, and crashes. Nobody else may work on what it does, and no commit is lost.
 */
export const consumerMember: ClientModule = {
  name: 'consumer member',
  make: (world, index) => new ConsumerMember(world, index),
}

interface Shared {
  readonly ledger: GroupLedger
  readonly claims: PartitionClaims
}

const groups = new WeakMap<World, Shared>()

function groupOf(world: World): Shared {
  let group = groups.get(world)
  if (!group)
    groups.set(world, (group = { ledger: new GroupLedger('consumers'), claims: new PartitionClaims() }))
  return group
}

class ConsumerMember implements SimulatedClient {
  readonly #world: World
  readonly #ledger: GroupLedger
  readonly #claims: PartitionClaims
  readonly #index: number
  #lives = 0
  #memberId = ''
  #epoch = 0
  #topicId = ''
  #claimant = new Claimant('nobody')
  /** What the broker said last; what is not in it is still to be let go of. */
  #told: ReadonlySet<number> = new Set()

  constructor(world: World, index: number) {
    this.#world = world
    this.#index = index
    const { ledger, claims } = groupOf(world)
    this.#ledger = ledger
    this.#claims = claims
    this.#beAnother()
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      try {
        await this.#work(caller)
      } catch (error) {
        if (error instanceof LostError) await this.#world.sleep(this.#world.random.below(2) * settledMs)
        throw error
      }
    })
  }

  async #work(caller: Caller): Promise<void> {
    const { random } = this.#world
    await makeTopic(caller, this.#ledger)
    while (!this.#world.isOver) {
      if (this.#epoch === 0 && !(await this.#heartbeat(caller))) {
        await this.#world.sleep(100 + random.below(500))
        continue
      }
      await this.#world.sleep(random.below(500))
      const what = random.below(100)
      if (what < 30) await this.#commit(caller)
      else if (what < 90) await this.#heartbeat(caller)
      else if (what < 93) await this.#world.sleep(random.below(4_000))
      else if (what < 96) await this.#leave(caller)
      else if (what < 97) this.#beAnother()
    }
  }

  /** Says what it works on, hears what it is to work on. True where it is a member now. */
  async #heartbeat(caller: Caller): Promise<boolean> {
    const { groupId, topic } = this.#ledger
    const isJoining = this.#epoch === 0
    // It stops working before it says so.
    this.#claims.keeps(this.#claimant, this.#told)
    const { isDeposed, partitions } = this.#claimant
    const topicPartitions =
      partitions.size === 0 ? [] : [{ topicId: this.#topicId, partitions: [...partitions] }]
    const answer = await caller.call(consumerGroupHeartbeat, 1, {
      groupId,
      memberId: this.#memberId,
      memberEpoch: this.#epoch,
      topicPartitions,
      ...(isJoining ? { rebalanceTimeoutMs, subscribedTopicNames: [topic] } : {}),
    })
    if (!this.#isFine('ConsumerGroupHeartbeat', answer.errorCode)) return false
    this.#claims.accepted('a heartbeat', this.#claimant, isDeposed)
    this.#epoch = answer.memberEpoch
    if (answer.assignment) await this.#take(caller, answer.assignment.topicPartitions)
    return true
  }

  async #take(
    caller: Caller,
    assigned: readonly { topicId: string; partitions: readonly number[] }[],
  ): Promise<void> {
    const [first] = assigned
    if (first) this.#topicId = first.topicId
    this.#told = new Set(first?.partitions ?? [])
    const added = [...this.#told].filter(partition => !this.#claimant.partitions.has(partition))
    this.#claims.given(this.#claimant, [...this.#told])
    if (added.length === 0) return
    const { errorCode, found } = await fetchCommits(caller, this.#ledger, added)
    if (!this.#isFine('OffsetFetch', errorCode)) return
    for (const [partition, offset] of found!) this.#ledger.check(partition, offset)
  }

  async #commit(caller: Caller): Promise<void> {
    // Whoever is told to let go of a partition has read its last record of it.
    const own = [...this.#claimant.partitions].filter(partition => this.#told.has(partition))
    if (own.length === 0) return
    const { isDeposed } = this.#claimant
    const member = { ledger: this.#ledger, memberId: this.#memberId, epoch: this.#epoch }
    const { number, errorCode } = await commitNext(caller, member, own)
    // It is behind by an epoch: the next heartbeat tells.
    if (errorCode === errorCodes.STALE_MEMBER_EPOCH) return this.#world.count('OffsetCommit', errorCode)
    if (!this.#isFine('OffsetCommit', errorCode)) return
    this.#claims.accepted('a commit', this.#claimant, isDeposed)
    this.#ledger.committed(number)
  }

  async #leave(caller: Caller): Promise<void> {
    const { groupId } = this.#ledger
    const memberId = this.#memberId
    this.#beAnother()
    const { errorCode } = await caller.call(consumerGroupHeartbeat, 1, { groupId, memberId, memberEpoch: -1 })
    this.#world.count('ConsumerGroupHeartbeat to leave', errorCode)
  }

  /** Whether all is well; else the member begins anew, as somebody new where it is not known any more. */
  #isFine(api: string, errorCode: number): boolean {
    this.#world.count(api, errorCode)
    if (errorCode === errorCodes.NONE) return true
    hold(errorCode !== errorCodes.UNKNOWN_SERVER_ERROR, () => `${api} was answered with UNKNOWN_SERVER_ERROR`)
    if (errorCode === errorCodes.FENCED_MEMBER_EPOCH) this.#beginAnew()
    else if (errorCode === errorCodes.UNKNOWN_MEMBER_ID || errorCode === errorCodes.GROUP_ID_NOT_FOUND)
      this.#beAnother()
    return false
  }

  #beginAnew(): void {
    this.#claims.drops(this.#claimant)
    this.#told = new Set()
    this.#epoch = 0
  }

  /** A process that is gone, and one in its place. */
  #beAnother(): void {
    this.#beginAnew()
    this.#memberId = `member-${this.#index}-${this.#lives++}`
    this.#claimant = new Claimant(this.#memberId)
  }

  async verify(caller: Caller): Promise<void> {
    if (this.#index > 0 || !this.#ledger.isUsed) return
    const all = Array.from({ length: partitionCount }, (_, index) => index)
    const { found } = await fetchCommits(caller, this.#ledger, all)
    hold(found !== undefined, () => 'the commits of the consumers cannot be fetched')
    this.#ledger.verify(found!)
  }
}
