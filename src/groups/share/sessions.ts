import { KafkaError } from '../../protocol/errors.ts'

/** One partition of a topic. */
export interface SessionPartition {
  readonly topicId: string
  readonly partition: number
}

/** Who fetches or acknowledges, and at which step of the session. */
export interface SessionStep {
  readonly groupId: string
  readonly memberId: string
  readonly epoch: number
}

/** What one member reads, so that it need not say so each time. */
export class ShareSession {
  readonly groupId: string
  readonly memberId: string
  readonly #partitions = new Map<string, SessionPartition>()
  epoch = 1
  /** Stops watching the connection. */
  unwatch: () => void = () => {}

  constructor(groupId: string, memberId: string) {
    this.groupId = groupId
    this.memberId = memberId
  }

  update(added: readonly SessionPartition[], forgotten: readonly SessionPartition[]): void {
    for (const each of added) this.#partitions.set(partitionKey(each), each)
    for (const each of forgotten) this.#partitions.delete(partitionKey(each))
  }

  get partitions(): SessionPartition[] {
    return [...this.#partitions.values()]
  }

  /** The partitions, each time from another one on, so that none starves (PartitionRotateStrategy). */
  get rotated(): SessionPartition[] {
    const { partitions } = this
    const from = partitions.length === 0 ? 0 : this.epoch % partitions.length
    return [...partitions.slice(from), ...partitions.slice(0, from)]
  }
}

/** Begins a session, or ends one. */
export const sessionEpochs = { initial: 0, final: -1 } as const

const epochMax = 2 ** 31 - 1

/**
 * The share sessions of a broker, one for each member (KIP-932, ShareSessionCache): they end by the member's last request, or
 * with its connection, and what the member holds is free again then.
 */
export class ShareSessions {
  readonly #sessionsMax: number
  readonly #ended: (session: ShareSession) => void
  readonly #sessions = new Map<string, ShareSession>()

  /** `ended` is told of a session whose connection is gone. */
  constructor(sessionsMax: number, ended: (session: ShareSession) => void) {
    this.#sessionsMax = sessionsMax
    this.#ended = ended
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Whether any member of a group has a session. */
  hasGroup(groupId: string): boolean {
    for (const session of this.#sessions.values()) if (session.groupId === groupId) return true
    return false
  }

  /** Begins a session in place of the one that the member had. Throws SHARE_SESSION_LIMIT_REACHED. */
  begin({ groupId, memberId }: SessionStep, closed: AbortSignal): ShareSession {
    const key = sessionKey(groupId, memberId)
    this.#sessions.get(key)?.unwatch()
    this.#sessions.delete(key)
    if (this.#sessions.size >= this.#sessionsMax) throw new KafkaError('SHARE_SESSION_LIMIT_REACHED')
    const session = new ShareSession(groupId, memberId)
    this.#sessions.set(key, session)
    const gone = (): void => {
      this.end(session)
      this.#ended(session)
    }
    closed.addEventListener('abort', gone, { once: true })
    session.unwatch = () => closed.removeEventListener('abort', gone)
    return session
  }

  /** The session that a request goes on with. Throws SHARE_SESSION_NOT_FOUND or INVALID_SHARE_SESSION_EPOCH. */
  continue({ groupId, memberId, epoch }: SessionStep): ShareSession {
    const session = this.#sessions.get(sessionKey(groupId, memberId))
    if (!session) throw new KafkaError('SHARE_SESSION_NOT_FOUND')
    if (epoch === sessionEpochs.final) return session
    if (session.epoch !== epoch) throw new KafkaError('INVALID_SHARE_SESSION_EPOCH')
    session.epoch = session.epoch === epochMax ? 1 : session.epoch + 1
    return session
  }

  end(session: ShareSession): void {
    session.unwatch()
    const key = sessionKey(session.groupId, session.memberId)
    if (this.#sessions.get(key) === session) this.#sessions.delete(key)
  }
}

function partitionKey({ topicId, partition }: SessionPartition): string {
  return `${topicId}/${partition}`
}

function sessionKey(groupId: string, memberId: string): string {
  return `${memberId.length}/${memberId}/${groupId}`
}
