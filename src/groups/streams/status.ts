import { cutToAnswer } from '../../protocol/errors.ts'

/** What a heartbeat's answer may tell a member besides its tasks, by Kafka's numbers (StreamsGroupHeartbeatResponse.Status). */
export const statusCodes = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
} as const

export interface Status {
  readonly statusCode: number
  readonly statusDetail: string
}

export function status(name: keyof typeof statusCodes, statusDetail: string): Status {
  return { statusCode: statusCodes[name], statusDetail: cutToAnswer(statusDetail) }
}

const namesMax = 3

/** The first few of many names. */
export function summary(names: readonly string[]): string {
  const rest = names.length - namesMax
  return names.slice(0, namesMax).join(', ') + (rest > 0 ? ` and ${rest} additional topics` : '')
}
