import type { Assignor } from '../../modern/assignor.ts'
import { range } from './range.ts'
import { uniform } from './uniform.ts'

/** The assignors that `group.consumer.assignors` can name. */
export const assignors: Readonly<Record<string, Assignor>> = { uniform, range }

/** They are Kafka's classes too, in its package of them. */
const namesByClass = new Map([
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
])

/** The name of the assignor that an element of `group.consumer.assignors` means; undefined where it is not one of these. */
export function assignorName(element: string): string | undefined {
  return Object.hasOwn(assignors, element) ? element : namesByClass.get(element)
}
