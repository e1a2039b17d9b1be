/** One partition of one share group. */
export interface ShareKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** What a share partition is coordinated under, and what FindCoordinator asks for (SharePartitionKey.asCoordinatorKey). */
export function coordinatorKey({ groupId, topicId, partition }: ShareKey): string {
  return `${groupId}:${topicId}:${partition}`
}

const topicIdLength = 22

/** Why a text is no coordinator key; undefined where it is one. */
export function faultOfCoordinatorKey(text: string): string | undefined {
  const parts = text.split(':')
  // A group id may have colons in it.
  const [topicId, partition] = parts.slice(-2)
  const isKey =
    parts.length >= 3 &&
    parts.slice(0, -2).join(':').trim() !== '' &&
    topicId!.length === topicIdLength &&
    /^\d{1,10}$/.test(partition!)
  return isKey ? undefined : `Invalid key format: expected - groupId:topicId:partition, found -  ${text}`
}
