import { errorCodes } from '../../protocol/errors.ts'
import { choiceFor, type Choice } from '../commits/choice.ts'
import type { Stamp } from '../commits/position.ts'
import type { NewOffset } from '../commits/strategy.ts'
import { offsetCommit } from '../records.ts'
import type { Turn } from '../turn.ts'

/** An offset that may be committed, and the place in the answer for what becomes of it. */
export interface NewCommit extends NewOffset {
  readonly topic: string
  readonly result: { errorCode: number }
}

/** Writes offsets as they are; those of topics of VLSNs as the group has chosen, those of views last, since they say it of all. */
export function keepOffsets(turn: Turn, groupId: string, commits: readonly NewCommit[], stamp: Stamp): void {
  const numbered = new Map<string, { choice: Choice; commits: NewCommit[] }>()
  for (const commit of commits) {
    const { topic, partition, value, result } = commit
    const same = numbered.get(topic)
    const choice = same?.choice ?? choiceFor({ groupId, name: topic }, turn)
    if (!choice) turn.write(offsetCommit({ group: groupId, topic, partition }, value))
    else if (choice.isOutOfReach) result.errorCode = errorCodes.KAFKA_STORAGE_ERROR
    else if (same) same.commits.push(commit)
    else numbered.set(topic, { choice, commits: [commit] })
  }
  const viewsLast = [...numbered.values()].sort((a, b) => Number(a.choice.isView) - Number(b.choice.isView))
  for (const { choice, commits } of viewsLast) {
    const { strategy, position, isView } = choice
    if (isView) for (const { value } of commits) strategy.commitNumber(position, value)
    else strategy.commit(position, commits, stamp)
  }
}
