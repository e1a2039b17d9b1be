import { LedPartitions } from '../../src/groups/share/led-partitions.ts'
import type { LedPartition, ShareLog } from '../../src/groups/share/led-partition.ts'
import { ShareCoordinator } from '../../src/groups/share/state/coordinator.ts'
import type { ShareKey } from '../../src/groups/share/state/key.ts'
import { silentLogger } from './group-scene.ts'
import { idOf, TestGroupConfigs } from './group-topics.ts'
import { ManualClock, settled } from './manual-clock.ts'
import { MemoryStateTopic } from './memory-state-topic.ts'

/** A log of records that are batches of their own, in as few words as a share partition needs. */
export class SharedLog implements ShareLog {
  leaderEpoch = 1
  logStartOffset = 0n
  highWatermark = 0n
  /** When each record was written. */
  readonly timestamps: number[] = []

  append(count: number, timestamp = 0): void {
    for (let index = 0; index < count; index++) this.timestamps.push(timestamp)
    this.highWatermark += BigInt(count)
  }

  async offsetForTimestamp(timestamp: bigint): Promise<{ offset: bigint } | undefined> {
    const offset = this.timestamps.findIndex(each => each >= Number(timestamp))
    return offset < 0 ? undefined : { offset: BigInt(offset) }
  }
}

/** The key of the one share partition that a scene is about. */
export const shareKey: ShareKey = { groupId: 'sharers', topicId: idOf('orders'), partition: 0 }

/** A share coordinator and a leader of share partitions, on a clock and a log that the test holds in its hands. */
export class ShareScene {
  readonly clock: ManualClock
  readonly topic: MemoryStateTopic
  readonly log: SharedLog
  readonly configs: TestGroupConfigs
  readonly states: ShareCoordinator
  readonly led: LedPartitions
  readonly bugs: unknown[] = []

  private constructor(
    clock: ManualClock,
    topic: MemoryStateTopic,
    log: SharedLog,
    configs: TestGroupConfigs,
    updatesPerSnapshot: number,
  ) {
    this.clock = clock
    this.topic = topic
    this.log = log
    this.configs = configs
    const logger = silentLogger
    this.states = new ShareCoordinator({
      clock,
      logger,
      topic,
      updatesPerSnapshot,
      reportBug: error => void this.bugs.push(error),
    })
    this.led = new LedPartitions({ clock, logger, states: this.states, configs })
  }

  static async open({
    clock = new ManualClock(),
    topic = new MemoryStateTopic(),
    log = new SharedLog(),
    configs = new TestGroupConfigs(),
    updatesPerSnapshot = 5,
  } = {}): Promise<ShareScene> {
    const scene = new ShareScene(clock, topic, log, configs, updatesPerSnapshot)
    await scene.states.load()
    await settled()
    return scene
  }

  /** What a new process makes of what is synced. */
  async crash(): Promise<ShareScene> {
    this.led.close()
    const { configs, log } = this
    log.leaderEpoch++
    return ShareScene.open({
      clock: new ManualClock(this.clock.now()),
      topic: this.topic.afterCrash(),
      log,
      configs,
    })
  }

  /** The share partition, which the share coordinator knows. */
  async open(): Promise<LedPartition> {
    await this.states.ensure(shareKey)
    return this.led.open(shareKey, this.log)
  }

  /** Hands out up to so many records that are free, as `[first, last, count]`. */
  acquire(led: LedPartition, memberId: string, recordsMax = 1_000): number[][] {
    const from = led.nextFetchOffset
    if (from === undefined) return []
    const batches = Array.from(
      { length: Math.max(Number(this.log.highWatermark) - from, 0) },
      (_, index) => ({
        firstOffset: from + index,
        lastOffset: from + index,
      }),
    )
    return led
      .acquire({ memberId, from, batches, recordsMax, isStrict: true, pieceRecords: 1_000 })
      .map(({ firstOffset, lastOffset, deliveryCount }) => [firstOffset, lastOffset, deliveryCount])
  }
}
