import type { ListGroupsResponse } from '../protocol/messages/16-list-groups.ts'
import type { Draft } from '../protocol/schema.ts'
import type { Group } from './group.ts'
import type { Turn } from './turn.ts'

export type ListedGroup = Draft<typeof ListGroupsResponse>['groups'][number]

/** The groups in these states and of these types, in any spelling of their case; no filter lets all through. */
export function list(
  turn: Turn,
  statesFilter: readonly string[],
  typesFilter: readonly string[],
): ListedGroup[] {
  const states = new Set(statesFilter.map(state => state.trim().toLowerCase()))
  const types = new Set(typesFilter.map(type => type.trim().toLowerCase()))
  return Array.from(turn.state.groups.values())
    .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))

    .filter(({ type }) => types.size === 0 || types.has(type))
    .map(listed)
}

function listed({ groupId, protocolType, state, type }: Group): ListedGroup {
  return { groupId, protocolType: protocolType ?? '', groupState: state, groupType: type }
}
