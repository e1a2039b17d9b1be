import { metadataHash } from '../modern/topic-metadata.ts'
import type { Turn } from '../turn.ts'
import type { ConsumerGroup } from './group.ts'
import { groupEpoch, resolvedRegex } from './records.ts'

/**
 * Takes note of what members read and of what there is: patterns are resolved anew when topics have come or gone, and the group
 * goes on to its next epoch when anything has changed that its assignment depends on, or when `isChanged` says so.
 */
export function updateSubscription(turn: Turn, group: ConsumerGroup, isChanged: boolean): void {
  const { lookup } = turn.environment
  const areTopicsNew = group.topicsVersion !== lookup.version
  forgetRegexes(turn, group)
  for (const regex of group.regexes) {
    if (areTopicsNew || !group.resolved.has(regex)) resolve(turn, group, regex)
  }
  if (!isChanged && !areTopicsNew) return
  group.topicsVersion = lookup.version
  const hash = metadataHash(group.subscribedTopics, lookup)
  if (isChanged || hash !== group.metadataHash) turn.write(groupEpoch(group.groupId, group.epoch + 1, hash))
}

/** Forgets what patterns stand for that nobody subscribes to any more. */
export function forgetRegexes(turn: Turn, group: ConsumerGroup): void {
  if (group.resolved.size === 0) return
  const { regexes } = group
  const forgotten = Array.from(group.resolved.keys()).filter(regex => !regexes.has(regex))
  for (const regex of forgotten) turn.write(resolvedRegex(group.groupId, regex, null))
}

function resolve(turn: Turn, group: ConsumerGroup, regex: string): void {
  const { lookup } = turn.environment
  const topics = group.pattern(regex).resolve(lookup.names())
  const known = group.resolved.get(regex)
  if (known && known.length === topics.length && topics.every((name, index) => name === known[index])) return
  turn.write(resolvedRegex(group.groupId, regex, { topics, version: lookup.version, nowMs: turn.nowMs }))
}
