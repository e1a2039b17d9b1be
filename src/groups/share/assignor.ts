import type { Assignor, AssignorMember } from '../modern/assignor.ts'
import { addPartition, hasPartition, type TopicPartitions } from '../modern/topic-partitions.ts'

/** A partition on its way to members, and how many have it. */
interface Place {
  readonly topicId: string
  readonly partition: number
  sharers: number
}

interface Seat {
  readonly member: AssignorMember
  readonly places: Set<Place>
}

/**
 * Kafka's `simple` assignor for share groups (SimpleAssignor): every partition has a member, every member a partition, and
 * both are spread as evenly as may be. Partitions may have several members, and what a member has it keeps where that
 * is fair.
 */
export const simple: Assignor = ({ members, partitionCounts }) => {
  const places = new Map<string, Place[]>()
  for (const [topicId, length] of partitionCounts) {
    places.set(
      topicId,
      Array.from({ length }, (_, partition) => ({ topicId, partition, sharers: 0 })),
    )
  }
  const seats = members.map((member): Seat => ({ member, places: new Set() }))
  keepWhatIsFair(seats, places)
  for (const place of Array.from(places.values()).flat()) {
    if (place.sharers === 0) give(leastLoaded(seats, place.topicId), place)
  }
  for (const seat of seats) {
    if (seat.places.size === 0) give(seat, leastShared(seat.member, places))
  }
  return new Map(seats.map(({ member, places }) => [member.memberId, byTopic(places)]))
}

/** Nobody keeps more than an even share, neither of partitions nor of members. */
function keepWhatIsFair(seats: readonly Seat[], places: ReadonlyMap<string, readonly Place[]>): void {
  const placeCount = Array.from(places.values()).reduce((count, { length }) => count + length, 0)
  if (placeCount === 0 || seats.length === 0) return
  const pairs = Math.max(placeCount, seats.length)
  const perSeat = new Shares(pairs, seats.length)
  const perPlace = new Shares(pairs, placeCount)
  for (const seat of seats) {
    const { topicIds, assigned } = seat.member
    for (const topicId of topicIds) {
      for (const place of places.get(topicId) ?? []) {
        if (!hasPartition(assigned, topicId, place.partition)) continue
        if (!perSeat.allow(seat.places.size) || !perPlace.allow(place.sharers)) continue
        perSeat.take(seat.places.size)
        perPlace.take(place.sharers)
        give(seat, place)
      }
    }
  }
}

/** What is even: a whole part for each, and one more for as many as the rest suffices for. */
class Shares {
  readonly #each: number
  #rest: number

  constructor(count: number, among: number) {
    this.#each = Math.floor(count / among)
    this.#rest = count % among
  }

  allow(held: number): boolean {
    return held < this.#each || (held === this.#each && this.#rest > 0)
  }

  take(held: number): void {
    if (held === this.#each) this.#rest--
  }
}

function give(seat: Seat | undefined, place: Place | undefined): void {
  if (!seat || !place) return
  seat.places.add(place)
  place.sharers++
}

function leastLoaded(seats: readonly Seat[], topicId: string): Seat | undefined {
  let least: Seat | undefined
  for (const seat of seats) {
    if (seat.member.topicIds.has(topicId) && (!least || seat.places.size < least.places.size)) least = seat
  }
  return least
}

function leastShared(
  { topicIds }: AssignorMember,
  places: ReadonlyMap<string, readonly Place[]>,
): Place | undefined {
  let least: Place | undefined
  for (const topicId of topicIds) {
    for (const place of places.get(topicId) ?? []) if (!least || place.sharers < least.sharers) least = place
  }
  return least
}

function byTopic(places: Iterable<Place>): TopicPartitions {
  const topics = new Map<string, Set<number>>()
  for (const { topicId, partition } of places) addPartition(topics, topicId, partition)
  return topics
}
