import type { Clock } from '../base/clock.ts'
import type { CoordinatedState } from '../coordination/state.ts'
import type { TransactionEnd } from '../coordination/state-topic.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../protocol/messages/consumer-offsets-records.ts'
import { ClassicGroup } from './classic/group.ts'
import { HeardOffsets } from './commits/heard-offsets.ts'
import { ConsumerGroup, type ConsumerRecord } from './consumer/group.ts'
import type { Group } from './group.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'
import { PendingOffsets } from './offsets/pending-offsets.ts'
import { readRecord, type CoordinatorRecord } from './records.ts'
import { isShareGroupRecord, ShareGroup } from './share/group.ts'
import { StreamsGroup } from './streams/group.ts'
import { isStreamsRecord } from './streams/records.ts'

/** What one partition of `__consumer_offsets` says: its groups and their offsets. */
export class PartitionState implements CoordinatedState {
  readonly groups = new Map<string, Group>()
  readonly offsets = new CommittedOffsets()
  readonly pendingOffsets = new PendingOffsets()
  /** What is left out of the log where one number says it. */
  readonly heard = new HeardOffsets()
  readonly #clock: Clock
  /** Offsets that were replayed so far. */
  #offsetCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Applies a record: as it is decided, and again at every start. Types that are not kept here are passed over. */
  replay(key: Buffer, value: Buffer | null, producerId?: bigint): void {
    const record = readRecord(key, value)
    if (record?.type === 'offsetCommit') {
      this.#replayOffset(record.key, record.value, producerId)
    } else if (record?.type === 'groupMetadata') {
      const { group } = record.key
      if (record.value) this.#classic(group).replay(record.value)
      else if (this.classic(group)) this.remove(group)
    } else if (record && isOfConsumers(record)) {
      this.#replayOf(record, ConsumerGroup, record.type === 'consumerGroupMetadata')
    } else if (record && isShareGroupRecord(record)) {
      this.#replayOf(record, ShareGroup, record.type === 'shareGroupMetadata')
    } else if (record && isStreamsRecord(record)) {
      this.#replayOf(record, StreamsGroup, record.type === 'streamsGroupMetadata')
    }
  }

  /**
   * Applies a record of a newer group. `isOfGroup`: without it there is no group. Other tombstones of what is not there
   * bring no group back.
   */
  #replayOf<R extends { readonly key: { readonly groupId: string }; readonly value: unknown }>(
    record: R,
    type: new (groupId: string, clock: Clock) => Group & { replay(record: R): void },
    isOfGroup: boolean,
  ): void {
    const { groupId } = record.key
    const present = this.find(groupId, type)
    if (!record.value && isOfGroup) {
      if (present) this.remove(groupId)
    } else if (record.value || present) {
      const group = present ?? this.put(new type(groupId, this.#clock))
      group.replay(record)
    }
  }

  #replayOffset(
    { group, topic, partition }: OffsetCommitKey,
    value: OffsetCommitValue | null,
    producerId: bigint | undefined,
  ): void {
    if (value === null) {
      this.offsets.set(group, topic, partition, null)
      this.heard.forget(group, topic)
      this.pendingOffsets.remove(group, topic, partition)
      return
    }
    // Offsets may belong to nobody but a consumer that assigns partitions to itself (a simple group).
    if (!this.groups.has(group)) this.#classic(group)
    const offset = { ...value, order: ++this.#offsetCount }
    if (producerId === undefined) this.offsets.set(group, topic, partition, offset)
    else this.pendingOffsets.set(producerId, group, topic, partition, offset)
  }

  /** Offsets of a transaction that was committed count from now on, where none was committed after them. */
  replayEnd(producerId: bigint, type: TransactionEnd['type']): void {
    const pending = this.pendingOffsets.take(producerId)
    if (!pending || type === 'ABORT') return
    for (const { group, topic, partition, offset } of pending.each()) {
      const committed = this.offsets.get(group, topic, partition)
      if (!committed || committed.order < offset.order) this.offsets.set(group, topic, partition, offset)
    }
  }

  /** Ends every wait and every deadline in here. */
  dispose(error: ErrorName): void {
    for (const group of this.groups.values()) group.dispose(error)
  }

  /** The group of this id and type. One of another type is none. */
  find<G extends Group>(groupId: string, type: new (...facts: never[]) => G): G | undefined {
    const group = this.groups.get(groupId)
    return group instanceof type ? group : undefined
  }

  /** The classic group of this id. One of another type is none. */
  classic(groupId: string): ClassicGroup | undefined {
    return this.find(groupId, ClassicGroup)
  }

  /** The share group of this id. One of another type is none. */
  share(groupId: string): ShareGroup | undefined {
    return this.find(groupId, ShareGroup)
  }

  /** Puts a group in the place of whatever has its id. */
  put<G extends Group>(group: G): G {
    this.remove(group.groupId)
    this.groups.set(group.groupId, group)
    return group
  }

  /** Takes a group out; whoever waits for it is told that it is not there. */
  remove(groupId: string): void {
    this.groups.get(groupId)?.dispose('UNKNOWN_MEMBER_ID')
    this.groups.delete(groupId)
  }

  #classic(groupId: string): ClassicGroup {
    return this.classic(groupId) ?? this.put(new ClassicGroup(groupId, this.#clock))
  }
}

function isOfConsumers(record: CoordinatorRecord): record is ConsumerRecord {
  return record.type.startsWith('consumerGroup')
}
