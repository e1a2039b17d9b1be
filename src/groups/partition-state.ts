import type { Clock } from '../base/clock.ts'
import type { CoordinatedState } from '../coordination/state.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { ClassicGroup } from './classic/group.ts'
import type { Group } from './group.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'
import { readRecord } from './records.ts'

/** What one partition of `__consumer_offsets` says: its groups and their offsets. */
export class PartitionState implements CoordinatedState {
  readonly groups = new Map<string, Group>()
  readonly offsets = new CommittedOffsets()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Applies a record: as it is decided, and again at every start. Types that are not kept here are passed over. */
  replay(key: Buffer, value: Buffer | null): void {
    const record = readRecord(key, value)
    if (!record) return
    if (record.type === 'offsetCommit') {
      const { group, topic, partition } = record.key
      // Offsets may belong to nobody but a consumer that assigns partitions to itself (a simple group).
      if (record.value && !this.groups.has(group)) this.#classic(group)
      this.offsets.set(group, topic, partition, record.value)
    } else if (record.value) {
      this.#classic(record.key.group).replay(record.value)
    } else {
      this.groups.get(record.key.group)?.dispose('UNKNOWN_MEMBER_ID')
      this.groups.delete(record.key.group)
    }
  }

  /** Ends every wait and every deadline in here. */
  dispose(error: ErrorName): void {
    for (const group of this.groups.values()) group.dispose(error)
  }

  /** The classic group of this id. One of another type is none. */
  classic(groupId: string): ClassicGroup | undefined {
    const group = this.groups.get(groupId)
    return group instanceof ClassicGroup ? group : undefined
  }

  #classic(groupId: string): ClassicGroup {
    let group = this.classic(groupId)
    if (!group) this.groups.set(groupId, (group = new ClassicGroup(groupId, this.#clock)))
    return group
  }
}
