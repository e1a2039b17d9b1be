import type { Assignor } from '../../modern/assignor.ts'
import { range } from './range.ts'
import { uniform } from './uniform.ts'

/** The assignors that `group.consumer.assignors` can name. */
export const assignors: Readonly<Record<string, Assignor>> = { uniform, range }
