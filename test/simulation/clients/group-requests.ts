import { offsetCommit } from '../../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../../src/broker/apis/09-offset-fetch.ts'
import { createTopics } from '../../../src/broker/apis/19-create-topics.ts'
import { errorCodes, errorName } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import type { Caller } from '../world.ts'
import { partitionCount, type GroupLedger } from './group-ledger.ts'

/** Makes the topic that a group works on; nobody else deletes it. */
export async function makeTopic(caller: Caller, { topic: name }: GroupLedger): Promise<void> {
  const topic = { name, numPartitions: partitionCount, replicationFactor: 1, assignments: [], configs: [] }
  await caller.call(createTopics, 7, { topics: [topic], timeoutMs: 30_000 })
}

/** Commits the next number for these partitions, in the name of a member; returns the number and how it fared. */
export async function commitNext(
  caller: Caller,
  { ledger, memberId, epoch }: { ledger: GroupLedger; memberId: string; epoch: number },
  committed: readonly number[],
): Promise<{ number: number; errorCode: number }> {
  const { groupId, topic } = ledger
  const number = ledger.attempt(committed)
  const partitions = committed.map(partitionIndex => ({
    partitionIndex,
    committedOffset: BigInt(number),
    committedMetadata: null,
  }))
  const { topics } = await caller.call(offsetCommit, 9, {
    groupId,
    generationIdOrMemberEpoch: epoch,
    memberId,
    topics: [{ name: topic, partitions }],
  })
  const codes = new Set(topics[0]!.partitions.map(({ errorCode }) => errorCode))
  hold(codes.size === 1, () => `a commit of ${groupId} has fared differently in its partitions`)
  return { number, errorCode: [...codes][0]! }
}

/** What is committed for these partitions; undefined with an error of the whole group. */
export async function fetchCommits(
  caller: Caller,
  { groupId, topic }: GroupLedger,
  partitions: readonly number[],
): Promise<{ errorCode: number; found: Map<number, bigint> | undefined }> {
  const topics = [{ name: topic, partitionIndexes: [...partitions] }]
  const answer = await caller.call(offsetFetch, 8, { groups: [{ groupId, topics }], requireStable: true })
  const { errorCode, topics: told } = answer.groups[0]!
  if (errorCode !== errorCodes.NONE) return { errorCode, found: undefined }
  const found = told[0]!.partitions.map(({ partitionIndex, committedOffset, errorCode }) => {
    hold(errorCode === errorCodes.NONE, () => `a commit cannot be fetched: ${errorName(errorCode)}`)
    return [partitionIndex, committedOffset] as const
  })
  return { errorCode, found: new Map(found) }
}
