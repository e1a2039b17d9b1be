import type { ShareLeadership } from './led-partition.ts'
import { LedPartitions } from './led-partitions.ts'
import { ShareSessions, type ShareSession } from './sessions.ts'

/** Those who read in share groups: their sessions, and the share partitions that they hold records of. */
export class ShareReaders {
  readonly sessions: ShareSessions
  readonly led: LedPartitions
  readonly #leadership: ShareLeadership

  /** `sessionsMax`: group.share.max.share.sessions. */
  constructor(leadership: ShareLeadership, sessionsMax: number) {
    this.#leadership = leadership
    this.led = new LedPartitions(leadership)
    this.sessions = new ShareSessions(sessionsMax, session => {
      this.leave(session).catch((error: unknown) => {
        const { groupId, memberId } = session
        leadership.logger.warn({ err: error, groupId, memberId }, 'records that a member held stay locked')
      })
    })
  }

  /** A member is gone: what it holds is free again. Resolves when that is on disk. */
  async leave(session: ShareSession): Promise<void> {
    const { groupId, memberId } = session
    this.sessions.end(session)
    const led = this.led.ofGroup(groupId)
    const released = Promise.all(led.map(partition => partition.release(memberId)))
    // A group without readers holds nothing, and costs nothing.
    if (!this.sessions.hasGroup(groupId)) for (const { key } of led) this.led.end(key)
    await released
  }

  /** For how long a record is whose it was handed to, in a group. */
  lockDurationMs(groupId: string): number {
    return this.#leadership.configs.get('share.record.lock.duration.ms', groupId)
  }

  close(): void {
    this.led.close()
  }
}
