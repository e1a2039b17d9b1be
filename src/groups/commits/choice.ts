import type { GroupConfigValues } from '../group-configs.ts'
import type { Turn } from '../turn.ts'
import { hybrid } from './hybrid.ts'
import { perPartition } from './per-partition.ts'
import { Position } from './position.ts'
import type { CommitStrategy } from './strategy.ts'
import { vlsn } from './vlsn.ts'

const strategies: Record<GroupConfigValues['odradek.commit.strategy'], CommitStrategy> = {
  per_partition: perPartition,
  vlsn,
  hybrid,
}

/** How the position of a group is kept in a topic of VLSNs. */
export interface Choice {
  readonly strategy: CommitStrategy
  readonly position: Position
  /** It was asked for by the name of the view. */
  readonly isView: boolean
  /** The number says how far all partitions are. */
  readonly keepsNumber: boolean
  /** Some VLSNs are needed that the broker could not read. */
  readonly isOutOfReach: boolean
}

/**
 * How a group keeps its position in what has this name, a topic or a view; undefined where there are no VLSNs. Streams groups say more
 * with an offset than where it is, and always have one for each partition.
 */
export function choiceFor(
  { groupId, name }: { groupId: string; name: string },
  turn: Turn,
): Choice | undefined {
  const { lookup, configs } = turn.environment
  const topic = lookup.numbered(name)
  if (!topic) return undefined
  const isStreams = turn.state.groups.get(groupId)?.type === 'streams'
  const chosen = isStreams ? 'per_partition' : configs.get('odradek.commit.strategy', groupId)
  const strategy = strategies[chosen]
  const position = new Position(turn, groupId, topic)
  const keepsNumber = strategy !== perPartition || position.isOfAll
  return {
    strategy,
    position,
    isView: name === topic.viewName,
    keepsNumber,
    isOutOfReach: keepsNumber && !topic.isWhole,
  }
}

/** Decides what follows for groups that offsets of a transaction count for by now, or did when the broker stopped. */
export function settleOffsets(turn: Turn, groups: Iterable<string>): void {
  for (const groupId of Array.from(groups)) {
    const topics = new Map<string, Choice>()
    for (const name of turn.state.offsets.of(groupId).keys()) {
      const choice = choiceFor({ groupId, name }, turn)
      if (choice && !choice.isOutOfReach) topics.set(choice.position.topic.name, choice)
    }
    for (const { strategy, position } of topics.values()) strategy.settle(position)
  }
}

/** Whether somebody reads what an offset was committed for: that of a view is also the position of who reads the topic. */
export function isRead(turn: Turn, groupId: string, name: string): boolean {
  const group = turn.state.groups.get(groupId)
  if (!group) return false
  if (group.isSubscribedTo(name)) return true
  const choice = choiceFor({ groupId, name }, turn)
  return (
    choice?.isView === true && choice.position.isOfAll && group.isSubscribedTo(choice.position.topic.name)
  )
}
