import { countOf, each, isWithin, listed } from '../modern/topic-partitions.ts'
import type { ConsumerGroup } from './group.ts'
import { memberStates } from './member.ts'
import { listedWithEpochs } from './partition-epochs.ts'

/** What is unsound in a consumer group, in words. */
export function auditConsumers(group: ConsumerGroup): string[] {
  const problems: string[] = []
  const claim = (isSound: boolean, problem: string): void => {
    if (!isSound) problems.push(`group ${group.groupId}: ${problem}`)
  }
  const { members, target, epoch } = group
  claim(target.epoch <= epoch, `its target is of epoch ${target.epoch}, itself of ${epoch}`)
  for (const memberId of target.memberIds())
    claim(members.has(memberId), `${memberId} has a target and is not there`)
  for (const [instanceId, memberId] of group.staticMembers)
    claim(members.get(memberId)?.instanceId === instanceId, `${instanceId} is not ${memberId}`)
  for (const regex of group.resolved.keys())
    claim(group.regexes.has(regex), `nobody subscribes to ${regex}, and its topics are known`)
  for (const { memberId, current } of members.values()) {
    claim(
      current.memberEpoch <= target.epoch,
      `${memberId} is in epoch ${current.memberEpoch} of ${target.epoch}`,
    )
    for (const part of [current.assigned, current.revoking]) {
      for (const [topicId, partition] of each(part)) {
        const owner = group.owners.of(topicId, partition)
        claim(owner === memberId, `${memberId} has ${topicId}-${partition}, and so has ${owner}`)
      }
    }
    for (const [topicId, partition] of each(target.of(memberId)))
      claim(target.ownerOf(topicId, partition) === memberId, `${topicId}-${partition} has two targets`)
    claim(
      current.state === memberStates.unrevokedPartitions || countOf(current.revoking) === 0,
      `${memberId} is to let go of partitions in state ${current.state}`,
    )
    const isAtTarget = current.memberEpoch === target.epoch && current.state === memberStates.stable
    claim(
      !isAtTarget || isWithin(current.assigned, target.of(memberId)),
      `${memberId} has more than its target`,
    )
  }
  return problems
}

/** As in Group. */
export function durableConsumers(group: ConsumerGroup): string {
  const members = Array.from(group.members.values(), ({ memberId, metadata, current }) => [
    memberId,
    metadata,
    current.memberEpoch,
    current.previousMemberEpoch,
    current.state,
    listedWithEpochs(current.assigned).sort(byTopic),
    listedWithEpochs(current.revoking).sort(byTopic),
    listed(group.target.of(memberId)).sort(byTopic),
  ])
  const { epoch, metadataHash, target, resolved } = group
  const byId = members.sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))
  return JSON.stringify([
    epoch,
    String(metadataHash),
    target.epoch,
    target.timestampMs,
    [...resolved].sort(),
    byId,
  ])
}

function byTopic(left: { readonly topicId: string }, right: { readonly topicId: string }): number {
  return left.topicId < right.topicId ? -1 : 1
}
