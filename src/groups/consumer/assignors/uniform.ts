import type { Assignor, AssignorInput } from '../../modern/assignor.ts'
import { assignEvenly } from './uniform-homogeneous.ts'
import { assignBySubscription } from './uniform-heterogeneous.ts'

/** The `uniform` assignor (UniformAssignor): as even as it goes, with as little moved as that allows. */
export const uniform: Assignor = input => {
  const [first] = input.members
  if (!first) return new Map()
  return isHomogeneous(input) ? assignEvenly(input, first.topicIds) : assignBySubscription(input)
}

/** Whether all members read the same topics. */
function isHomogeneous({ members }: AssignorInput): boolean {
  const { topicIds } = members[0]!
  return members.every(
    member =>
      member.topicIds === topicIds ||
      (member.topicIds.size === topicIds.size &&
        [...member.topicIds].every(topicId => topicIds.has(topicId))),
  )
}
