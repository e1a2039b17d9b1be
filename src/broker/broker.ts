import type { Clock } from '../base/clock.ts'
import { nodeDisk, type Disk } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import { memoryDisk } from '../base/memory-disk.ts'
import type { Network } from '../base/network.ts'
import type { Random } from '../base/random.ts'
import { Slabs } from '../base/slabs.ts'
import { GroupCoordinator } from '../groups/coordinator.ts'
import { ShareGroups } from '../groups/share/groups.ts'
import { ShareReaders } from '../groups/share/readers.ts'
import { ShareCoordinator } from '../groups/share/state/coordinator.ts'
import type { NumberedTopic } from '../groups/commits/numbered-topic.ts'
import type { TopicLookup } from '../groups/topic-lookup.ts'
import { ObeliskSequencer } from '../sequencers/obelisk.ts'
import { audit } from '../storage/audit.ts'
import { CoordinatorLog } from '../storage/coordinator-log.ts'
import { StorageDamagedError } from '../storage/errors.ts'
import { openStore } from '../storage/store.ts'
import { TransactionCoordinator } from '../transactions/coordinator.ts'
import { isViewName, topicNameOf, viewIdOf, viewNameOf } from '../vlsn/view-name.ts'
import type { VlsnTopic } from '../vlsn/vlsn-topic.ts'
import { apis } from './apis/index.ts'
import { Catalog, catalogPartitionId, type Topic } from './catalog.ts'
import type { ListenerSetting } from './configs/listener-settings.ts'
import type { Settings } from './configs/settings.ts'
import type { Services } from './context.ts'
import { CoordinatorTopic } from './coordinator-topic.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { groupConfigsOf } from './group-configs.ts'
import { groupSettings } from './group-settings.ts'
import {
  internalTopic,
  offsetsTopicName,
  shareStateTopicName,
  transactionsTopicName,
} from './internal-topics.ts'
import { hostAndPort, Listeners, type Listener } from './listeners.ts'
import { ProducerIds } from './producer-ids.ts'
import { Purgatory } from './purgatory.ts'
import { ReadMemory } from './read-memory.ts'
import { RequestMemory } from './request-memory.ts'
import { logSettings, metadataLogSettings, vlsnSettings } from './log-settings.ts'
import { Server, systemNetwork } from './server.ts'
import { TransactionMarkers } from './transaction-markers.ts'
import { transactionSettings } from './transaction-settings.ts'
import { Upkeep } from './upkeep.ts'

/** What a broker is made of and told. */
export interface BrokerSetup {
  readonly settings: Settings
  readonly listeners: readonly ListenerSetting[]
  readonly storage: { readonly kind: 'memory' } | { readonly kind: 'files'; readonly directory: string }
  readonly clusterId: string | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk | undefined
  readonly network: Network | undefined
}

/** A running broker. */
export class Broker {
  readonly #services: Services
  readonly #server: Server
  readonly #bugs: unknown[]
  readonly #upkeep: Upkeep
  #closing: Promise<void> | undefined

  private constructor(services: Services, server: Server, bugs: unknown[]) {
    this.#services = services
    this.#server = server
    this.#bugs = bugs
    this.#upkeep = new Upkeep(services)
    this.#upkeep.start()
  }

  /**
   * Opens the data, recovers what it holds, and listens. Rejects with the storage's typed errors, or with the system's
   * (EADDRINUSE, EACCES, ENOSPC ...); nothing stays open then.
   */
  static async start(setup: BrokerSetup): Promise<Broker> {
    const bugs: unknown[] = []
    const services = await assemble(setup, bugs)
    const server = new Server(services, setup.network ?? systemNetwork)
    try {
      for (const listener of setup.listeners) {
        const port = await server.listen(listener)
        services.listeners.set({ ...listener, port, advertisedPort: listener.advertisedPort ?? port })
      }
    } catch (error) {
      await server.stop()
      await dismantle(services)
      throw error
    }
    return new Broker(services, server, bugs)
  }

  /** `HOST:PORT` of the first listener, as clients are told; `[HOST]:PORT` where the host is an IPv6 address. */
  get address(): string {
    const { advertisedHost, advertisedPort } = this.listeners[0]!
    return hostAndPort(advertisedHost, advertisedPort)
  }

  get listeners(): Listener[] {
    return this.#services.listeners.all()
  }

  get clusterId(): string {
    return this.#services.catalog.clusterId
  }

  /** Errors of our own that requests ran into; always empty in a broker without bugs. */
  get bugs(): readonly unknown[] {
    return this.#bugs
  }

  /** Tells the clients of a listener to connect to another address from now on, when a port mapping has become known. */
  advertise(listenerName: string, host: string, port: number): void {
    this.#services.listeners.advertise(listenerName, host, port)
  }

  /** What is unsound in blocks, indexes, bookmarks, groups and transactions: nothing, unless there is a bug or a broken disk. */
  async audit(): Promise<string[]> {
    await this.#services.store.flushed()
    const { store, groups, transactions, shareStates, shareReaders, catalog } = this.#services
    return [
      ...(await audit(store)),
      ...(await groups.audit()),
      ...(await transactions.audit()),
      ...(await shareStates.audit()),
      ...shareReaders.led.audit(),
      ...(await catalog.audit()),
    ]
  }

  /**
   * Deletes now what `retention.ms` and `retention.bytes` no longer keep, by whole segments and as Kafka would at its next check, and
   * gives back the space. Resolves once that is durable; rejects when the disk fails.
   */
  applyRetention(): Promise<void> {
    return this.#upkeep.applyRetention()
  }

  /**
   * Compacts now every topic with `cleanup.policy=compact`, due or not. The active segment of a partition is spared, as in Kafka;
   * with `roll` it is ended before, so that everything written until now is compacted. Resolves once that is durable; rejects
   * when the disk fails.
   */
  compact({ roll = false }: { readonly roll?: boolean } = {}): Promise<void> {
    return this.#upkeep.compact({ roll })
  }

  /** Commits what was accepted, tells groups to look elsewhere, answers what is under way, and lets go of everything. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#server.stopAccepting()
    this.#upkeep.close()
    const { catalog, transactions, groups, shareReaders, shareStates } = this.#services
    await catalog.close()
    await transactions.close()
    await groups.close()
    shareReaders.close()
    await shareStates.close()
    // A shard that has failed has told so, and whoever waited for it.
    await this.#services.store.flushed().catch(() => undefined)
    await this.#server.stop()
    await dismantle(this.#services)
  }
}

async function assemble(setup: BrokerSetup, bugs: unknown[]): Promise<Services> {
  const reportBug = (error: unknown): void => void bugs.push(error)
  const { settings, clock, random, logger } = setup
  const disk =
    setup.disk ?? (setup.storage.kind === 'memory' ? memoryDisk() : nodeDisk(setup.storage.directory))
  // Under load as much may come back at once as the tail holds, and is taken again by what comes next.
  const slabs = new Slabs(settings.get('odradek.tail.bytes.max'), clock)
  const store = await openStore({
    disk,
    clock,
    random,
    slabs,
    logger,
    shards: settings.get('odradek.shards'),
    segmentBytes: settings.get('odradek.shard.segment.bytes'),
    // Memory gains nothing by being kept.
    spareSegmentsMax: setup.storage.kind === 'memory' ? 0 : settings.get('odradek.spare.segments.max'),
    strideRecords: settings.get('odradek.stride.records'),
    tailBytesMax: settings.get('odradek.tail.bytes.max'),
    backlogBytesMax: settings.get('odradek.backlog.bytes.max'),
    backlogRecordsMax: settings.get('odradek.backlog.records.max'),
    blockBytes: settings.get('odradek.block.bytes.max'),
  })
  let producerIds: ProducerIds | undefined
  try {
    // Topics that a damaged log does not name any more would be taken for deleted ones, and their records dropped.
    const fault = store.shards[catalogShard]!.fault
    if (fault)
      throw new StorageDamagedError(`${fault.message}; look with odradek verify, then restore a copy`)
    const metadataLog = store.create(catalogPartitionId, { createdAt: 0, shard: catalogShard })
    const catalog = new Catalog({
      log: new CoordinatorLog(metadataLog),
      store,
      clock,
      random,
      settings,
      reportBug,
    })
    metadataLog.configure(metadataLogSettings)
    catalog.listen({
      topicChanged(topic) {
        const each = logSettings(topic, settings)
        for (const log of topic.partitions) log.configure(each)
        topic.vlsn?.configure(vlsnSettings(topic, settings))
      },
    })
    await catalog.load(setup.clusterId)
    const configs = groupConfigsOf(catalog, settings)
    const groups = new GroupCoordinator({
      clock,
      random,
      logger,
      topic: new CoordinatorTopic(catalog, clock, internalTopic(offsetsTopicName, settings)!),
      lookup: lookupOf(catalog),
      settings: groupSettings(settings),
      configs,
      reportBug,
    })
    producerIds = new ProducerIds(await ObeliskSequencer.open(disk, 'producer-ids'))
    const transactionMarkers = new TransactionMarkers(catalog, groups)
    const transactions = new TransactionCoordinator({
      clock,
      logger,
      topic: new CoordinatorTopic(catalog, clock, internalTopic(transactionsTopicName, settings)!),
      producerIds,
      markers: transactionMarkers,
      settings: transactionSettings(settings),
      reportBug,
    })
    await groups.load()
    // What was ending goes on, and may have offsets for groups.
    await transactions.load()
    const shareStates = new ShareCoordinator({
      clock,
      logger,
      topic: new CoordinatorTopic(catalog, clock, internalTopic(shareStateTopicName, settings)!),
      updatesPerSnapshot: settings.get('share.coordinator.snapshot.update.records.per.snapshot'),
      reportBug,
    })
    await shareStates.load()
    catalog.listen({
      topicsDeleted(topics) {
        const names = new Set(topics.map(({ name }) => name))
        if (names.has(offsetsTopicName)) groups.offsetsDeleted()
        else void groups.topicsDeleted(topics.flatMap(readablesOf))
        if (names.has(transactionsTopicName)) transactions.stateDeleted()
        if (names.has(shareStateTopicName)) shareStates.stateDeleted()
        else void shareStates.topicsDeleted(new Set(topics.map(({ id }) => id)))
      },
    })
    return {
      apis,
      clock,
      random,
      logger,
      settings,
      listeners: new Listeners(),
      slabs,
      requestMemory: new RequestMemory(Number(settings.get('queued.max.request.bytes'))),
      readMemory: new ReadMemory(readLengthMax),
      store,
      catalog,
      groups,
      transactions,
      groupConfigs: configs,
      shareGroups: new ShareGroups(groups, shareStates, settings.get('group.share.max.size')),
      shareStates,
      shareReaders: new ShareReaders(
        { clock, logger, states: shareStates, configs },
        settings.get('group.share.max.share.sessions'),
      ),
      producerIds,
      transactionMarkers,
      fetchSessions: new FetchSessions(
        clock,
        random,
        settings.get('max.incremental.fetch.session.cache.slots'),
      ),
      purgatory: new Purgatory(clock),
      reportBug,
    }
  } catch (error) {
    await producerIds?.close()
    await store.close()
    throw error
  }
}

/** What answers may hold of what was read, in bytes, before they become short: a few of the longest that clients ask for. */
const readLengthMax = 256 * 1024 * 1024

/** The metadata log lives in the first shard. */
const catalogShard = 0

async function dismantle({ store, producerIds }: Services): Promise<void> {
  // What the one cannot write any more must not keep the other open.
  await producerIds.close().finally(() => store.close())
}

/** A topic and its view, where it has one. */
function readablesOf({ name, id, vlsn }: Topic): { name: string; id: string }[] {
  return vlsn
    ? [
        { name, id },
        { name: viewNameOf(name), id: viewIdOf(id) },
      ]
    : [{ name, id }]
}

function lookupOf(catalog: Catalog): TopicLookup {
  let version = 0
  const changed = (): void => void version++
  catalog.listen({ topicChanged: changed, topicsDeleted: changed })
  return {
    get version() {
      return version
    },
    *names() {
      for (const { name } of catalog.topics()) yield name
    },
    partitionCount: name => catalog.readable(name)?.partitions.length,
    topicId: name => catalog.readable(name)?.id,
    topicName: id => catalog.readableById(id)?.name,
    numbered(name) {
      const topic = catalog.topic(isViewName(name) ? topicNameOf(name) : name)
      return topic?.vlsn && numberedTopic(topic, topic.vlsn)
    },
  }
}

function numberedTopic({ name, id, partitions }: Topic, vlsn: VlsnTopic): NumberedTopic {
  return {
    name,
    id,
    viewName: viewNameOf(name),
    viewId: viewIdOf(id),
    partitionCount: partitions.length,
    isWhole: vlsn.isWhole,
    committedBelow: offsets => vlsn.committedBelow(offsets),
    offsetFrom: (partition, below) => vlsn.offsetFrom(partition, below),
  }
}
