import { assert } from '../../base/assert.ts'
import type { AssignorInput } from '../modern/assignor.ts'
import { areSame, noPartitions } from '../modern/topic-partitions.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { assignors } from './assignors/index.ts'
import type { ConsumerGroup } from './group.ts'
import { memberTarget, targetEpoch } from './records.ts'

/**
 * Computes who is to have what, where the group has gone on since the last time; not more often than
 * `consumer.assignment.interval.ms` allows.
 */
export function updateTarget(turn: Turn, group: ConsumerGroup): void {
  const { groupId, target, epoch } = group
  const { configs, lookup, settings, logger } = turn.environment
  if (target.epoch >= epoch) return
  if (!target.isDue(turn.nowMs, configs.get('consumer.assignment.interval.ms', groupId))) return
  const name = group.assignorName(settings.groupConsumerAssignors[0]!)
  const assignor = assignors[name]
  assert(assignor !== undefined, 'a member asked for an assignor that there is not')
  const assigned = assignor(assignorInput(group, lookup))
  for (const memberId of group.members.keys()) {
    const partitions = assigned.get(memberId) ?? noPartitions
    if (!target.has(memberId) || !areSame(partitions, target.of(memberId)))
      turn.write(memberTarget(groupId, memberId, partitions))
  }
  turn.write(targetEpoch(groupId, epoch, turn.nowMs))
  logger.info(
    { group: groupId, epoch, assignor: name, members: group.members.size },
    'a consumer group is assigned anew',
  )
}

function assignorInput(group: ConsumerGroup, lookup: TopicLookup): AssignorInput {
  const partitionCounts = new Map<string, number>()
  for (const name of group.subscribedTopics) {
    const id = lookup.topicId(name)
    if (id !== undefined) partitionCounts.set(id, lookup.partitionCount(name)!)
  }
  // Members mostly read the same: then one set is enough, and seen to be.
  const sets = new Map<string, ReadonlySet<string>>()
  const members = Array.from(group.members.values(), member => {
    const { memberId, instanceId, metadata, regex } = member
    const key = JSON.stringify([metadata.subscribedTopicNames, regex])
    let topicIds = sets.get(key)
    if (!topicIds) sets.set(key, (topicIds = idsOf(group.topicsOf(member), lookup)))
    return { memberId, instanceId, topicIds, assigned: group.target.of(memberId) }
  })
  return { members, partitionCounts }
}

function idsOf(names: readonly string[], lookup: TopicLookup): ReadonlySet<string> {
  return new Set(names.map(name => lookup.topicId(name)).filter(id => id !== undefined))
}
