import { joinGroup } from '../../../src/broker/apis/11-join-group.ts'
import { heartbeat } from '../../../src/broker/apis/12-heartbeat.ts'
import { leaveGroup } from '../../../src/broker/apis/13-leave-group.ts'
import { syncGroup } from '../../../src/broker/apis/14-sync-group.ts'
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

const groupCount = 2
const protocolType = 'consumer'
const protocol = 'simulated'
/** After this nothing that was sent before is still on its way. */
const settledMs = 5_000

/** Joins a group with others, heartbeats, and commits for the partitions that it was given; the leader divides them. */
export const groupMember: ClientModule = {
  name: 'group member',
  make: (world, index) => new GroupMember(world, index),
}

const ledgers = new WeakMap<World, GroupLedger[]>()

function ledgerOf(world: World, index: number): GroupLedger {
  let groups = ledgers.get(world)
  if (!groups) {
    groups = Array.from({ length: groupCount }, (_, group) => new GroupLedger(`group${group}`))
    ledgers.set(world, groups)
  }
  return groups[index % groupCount]!
}

class GroupMember implements SimulatedClient {
  readonly #world: World
  readonly #ledger: GroupLedger
  readonly #checks: boolean
  #memberId = ''
  #generationId = -1
  #partitions: readonly number[] = []

  constructor(world: World, index: number) {
    this.#world = world
    this.#ledger = ledgerOf(world, index)
    // One of a group checks for all.
    this.#checks = index < groupCount
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      try {
        await this.#work(caller)
      } catch (error) {
        if (error instanceof LostError) await this.#world.sleep(settledMs)
        throw error
      }
    })
  }

  async #work(caller: Caller): Promise<void> {
    const { random } = this.#world
    await makeTopic(caller, this.#ledger)
    while (!this.#world.isOver) {
      if (this.#generationId < 0 && !(await this.#join(caller))) {
        await this.#world.sleep(100 + random.below(500))
        continue
      }
      await this.#world.sleep(random.below(1500))
      const what = random.below(100)
      if (what < 60) await this.#commit(caller)
      else if (what < 97) await this.#heartbeat(caller)
      else await this.#leave(caller)
    }
  }

  /** Joins and syncs; true once partitions are given. */
  async #join(caller: Caller): Promise<boolean> {
    const { groupId } = this.#ledger
    const joined = await caller.call(joinGroup, 9, {
      groupId,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 3_000,
      memberId: this.#memberId,
      protocolType,
      protocols: [{ name: protocol, metadata: Buffer.from('any') }],
    })
    if (joined.errorCode === errorCodes.MEMBER_ID_REQUIRED) {
      this.#memberId = joined.memberId
      return this.#join(caller)
    }
    if (!this.#isFine('JoinGroup', joined.errorCode)) return false
    const { memberId, generationId, leader } = joined
    this.#memberId = memberId
    this.#ledger.joined(generationId)
    const isLeader = leader === memberId && !joined.skipAssignment
    const synced = await caller.call(syncGroup, 5, {
      groupId,
      generationId,
      memberId,
      protocolType,
      protocolName: protocol,
      assignments: isLeader ? divided(joined.members.map(member => member.memberId)) : [],
    })
    if (!this.#isFine('SyncGroup', synced.errorCode)) return false
    this.#partitions = [...synced.assignment]
    this.#generationId = generationId
    this.#ledger.synced(generationId, memberId, this.#partitions)
    return this.#resume(caller)
  }

  /** Finds out where the owners before have got to. */
  async #resume(caller: Caller): Promise<boolean> {
    if (this.#partitions.length === 0) return true
    const { errorCode, found } = await fetchCommits(caller, this.#ledger, this.#partitions)
    if (!this.#isFine('OffsetFetch', errorCode) || !found) return false
    for (const [partition, offset] of found) this.#ledger.check(partition, offset)
    return true
  }

  async #commit(caller: Caller): Promise<void> {
    if (this.#partitions.length === 0) return
    const member = { ledger: this.#ledger, memberId: this.#memberId, epoch: this.#generationId }
    const { number, errorCode } = await commitNext(caller, member, this.#partitions)
    if (this.#isFine('OffsetCommit', errorCode)) this.#ledger.committed(number)
  }

  async #heartbeat(caller: Caller): Promise<void> {
    const { errorCode } = await caller.call(heartbeat, 4, {
      groupId: this.#ledger.groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
    })
    this.#isFine('Heartbeat', errorCode)
  }

  async #leave(caller: Caller): Promise<void> {
    const { errorCode } = await caller.call(leaveGroup, 5, {
      groupId: this.#ledger.groupId,
      members: [{ memberId: this.#memberId }],
    })
    this.#world.count('LeaveGroup', errorCode)
    this.#forget()
  }

  /** Whether all is well; else the member joins again, as somebody new where it is not known any more. */
  #isFine(api: string, errorCode: number): boolean {
    this.#world.count(api, errorCode)
    if (errorCode === errorCodes.NONE) return true
    hold(errorCode !== errorCodes.UNKNOWN_SERVER_ERROR, () => `${api} was answered with UNKNOWN_SERVER_ERROR`)
    this.#generationId = -1
    if (errorCode === errorCodes.UNKNOWN_MEMBER_ID) this.#forget()
    return false
  }

  #forget(): void {
    this.#memberId = ''
    this.#generationId = -1
  }

  async verify(caller: Caller): Promise<void> {
    if (!this.#checks || !this.#ledger.isUsed) return
    const all = Array.from({ length: partitionCount }, (_, index) => index)
    const { found } = await fetchCommits(caller, this.#ledger, all)
    hold(found !== undefined, () => `the commits of ${this.#ledger.groupId} cannot be fetched`)
    this.#ledger.verify(found!)
  }
}

/** The partitions, one after another. */
function divided(memberIds: readonly string[]): { memberId: string; assignment: Buffer }[] {
  const sorted = memberIds.toSorted()
  return sorted.map((memberId, index) => {
    const own = Array.from({ length: partitionCount }, (_, partition) => partition)
    return { memberId, assignment: Buffer.from(own.filter(each => each % sorted.length === index)) }
  })
}
