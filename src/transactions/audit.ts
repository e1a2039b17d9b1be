import type { PartitionState } from './partition-state.ts'
import type { TransactionFacts } from './transaction.ts'

/** What is unsound in a partition's state, in words. `logged` is the state that its log gives. */
export function auditState(state: PartitionState, logged: PartitionState): string[] {
  const problems: string[] = []
  for (const transactionalId of new Set([...state.transactions.keys(), ...logged.transactions.keys()])) {
    const here = describe(state.transactions.get(transactionalId)?.facts)
    const there = describe(logged.transactions.get(transactionalId)?.facts)
    if (here !== there) problems.push(`transactional id ${transactionalId} is ${here}, in its log ${there}`)
  }
  for (const { transactionalId, facts } of state.transactions.values()) {
    const isOpen = ['Ongoing', 'PrepareCommit', 'PrepareAbort'].includes(facts.state)
    if (!isOpen && !facts.partitions.isEmpty)
      problems.push(`transactional id ${transactionalId} is ${facts.state} and has partitions`)
    if (facts.state === 'Ongoing' && facts.partitions.isEmpty)
      problems.push(`transactional id ${transactionalId} is Ongoing without partitions`)
  }
  return problems
}

function describe(facts: TransactionFacts | undefined): string {
  if (!facts) return 'not there'
  const partitions = Array.from(
    facts.partitions.byTopic(),
    ([topic, indexes]) => `${topic}-${[...indexes].sort()}`,
  )
  return `${facts.state} ${facts.producerId}/${facts.producerEpoch} ${partitions.sort().join(' ')}`.trimEnd()
}
