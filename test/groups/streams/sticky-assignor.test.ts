import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignSticky, type AssignorInput } from '../../../src/groups/streams/sticky-assignor.ts'
import { noTasks, partsOf, type TaskId, type Tasks } from '../../../src/groups/streams/tasks.ts'

/** Members by id, each with its process and what it was to have before. */
type Members = Record<string, { process: string; active?: TaskId[]; standby?: TaskId[] }>

function assign(
  members: Members,
  subtopologies: Record<string, { tasks: number; isStateful?: boolean }>,
  numStandbyReplicas = 0,
): Record<string, { active: TaskId[]; standby: TaskId[] }> {
  const assigned = assignSticky({
    members: Object.entries(members).map(([memberId, { process, active = [], standby = [] }]) => ({
      memberId,
      processId: process,
      target: { ...noTasks, active: new Set(active), standby: new Set(standby) },
    })),
    subtopologies: Object.entries(subtopologies).map(([subtopologyId, { tasks, isStateful = true }]) => ({
      subtopologyId,
      taskCount: tasks,
      isStateful,
    })),
    numStandbyReplicas,
  })
  return Object.fromEntries(
    Array.from(assigned, ([memberId, { active, standby }]) => [
      memberId,
      { active: [...active].sort(), standby: [...standby].sort() },
    ]),
  )
}

const fewTasks = fc.integer({ min: 1, max: 7 })
const subtopologies = fc
  .array(fc.record({ taskCount: fewTasks, isStateful: fc.boolean() }), { minLength: 1, maxLength: 3 })
  .map(each => each.map((facts, index) => ({ subtopologyId: String(index), ...facts })))
const members = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }).map(processes =>
  processes.map((process, index) => ({
    memberId: `m${index}`,
    processId: `p${process}`,
    target: noTasks,
  })),
)
const inputs: fc.Arbitrary<AssignorInput> = fc.record({
  members,
  subtopologies,
  numStandbyReplicas: fc.integer({ min: 0, max: 2 }),
})

/** The same group with what it was assigned, after `gone` have left and `come` new processes of one member have come. */
function next(input: AssignorInput, assigned: Map<string, Tasks>, gone: number, come: number): AssignorInput {
  const stayed = input.members
    .slice(gone)
    .map(member => ({ ...member, target: assigned.get(member.memberId)! }))
  const added = Array.from({ length: come }, (_, index) => ({
    memberId: `n${index}`,
    processId: `np${index}`,
    target: noTasks,
  }))
  return { ...input, members: [...stayed, ...added] }
}

function allTasks({ subtopologies }: AssignorInput, isWanted: (isStateful: boolean) => boolean): TaskId[] {
  return subtopologies
    .filter(({ isStateful }) => isWanted(isStateful))
    .flatMap(({ subtopologyId, taskCount }) =>
      Array.from({ length: taskCount }, (_, partition) => `${subtopologyId}_${partition}`),
    )
    .sort()
}

/** What is wrong with an assignment, whatever came before it. */
function faults(input: AssignorInput, assigned: Map<string, Tasks>): string[] {
  const problems: string[] = []
  const active = [...assigned.values()].flatMap(tasks => [...tasks.active]).sort()
  if (active.join() !== allTasks(input, () => true).join()) problems.push(`active are ${active.join()}`)
  const processes = new Map<string, TaskId[]>()
  for (const { memberId, processId } of input.members) {
    const { active, standby } = assigned.get(memberId)!
    processes.set(processId, [...(processes.get(processId) ?? []), ...active, ...standby])
  }
  for (const [processId, tasks] of processes) {
    if (new Set(tasks).size !== tasks.length) problems.push(`${processId} has a task twice: ${tasks.join()}`)
  }
  const copies = new Map<TaskId, number>()
  for (const task of [...assigned.values()].flatMap(tasks => [...tasks.standby])) {
    copies.set(task, (copies.get(task) ?? 0) + 1)
  }
  const wanted = Math.min(input.numStandbyReplicas, processes.size - 1)
  for (const task of allTasks(input, isStateful => isStateful)) {
    if ((copies.get(task) ?? 0) !== wanted) problems.push(`${task} has ${copies.get(task) ?? 0} standbys`)
    copies.delete(task)
  }
  if (copies.size > 0) problems.push(`standbys without state: ${[...copies.keys()].join()}`)
  return problems
}

describe('properties', () => {
  test('every task is run once, and copied as often as there are other processes for it', () => {
    fc.assert(fc.property(inputs, input => void expect(faults(input, assignSticky(input))).toEqual([])))
  })

  test('and likewise after members have left and come', () => {
    const few = fc.integer({ min: 0, max: 3 })
    fc.assert(
      fc.property(inputs, few, few, (input, gone, come) => {
        const after = next(input, assignSticky(input), Math.min(gone, input.members.length - 1), come)
        expect(faults(after, assignSticky(after))).toEqual([])
      }),
    )
  })

  test('who stays with the same tasks around keeps what it had', () => {
    fc.assert(
      fc.property(inputs, input => {
        const first = assignSticky(input)
        const again = assignSticky(next(input, first, 0, 0))
        for (const { memberId } of input.members) {
          expect([...again.get(memberId)!.active].sort()).toEqual([...first.get(memberId)!.active].sort())
        }
      }),
    )
  })

  test('without standbys, no process of one thread runs two tasks more than another', () => {
    fc.assert(
      fc.property(inputs, input => {
        const alone = {
          ...input,
          numStandbyReplicas: 0,
          members: input.members.map(member => ({ ...member, processId: member.memberId })),
        }
        const counts = [...assignSticky(alone).values()].map(({ active }) => active.size)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

/** Cases of Apache Kafka's StickyTaskAssignorTest. */
describe('as Apache Kafka assigns', () => {
  const threeTasks = { test: { tasks: 3 } }

  test('one active task to each member, when there are as many', () => {
    const assigned = assign({ a: { process: 'p1' }, b: { process: 'p2' }, c: { process: 'p3' } }, threeTasks)
    expect(Object.values(assigned).map(({ active }) => active.length)).toEqual([1, 1, 1])
  })

  test('two subtopologies range by range: a member runs the same partition of both', () => {
    const assigned = assign(
      { a: { process: 'p1' }, b: { process: 'p2' } },
      { one: { tasks: 2 }, two: { tasks: 2 } },
    )
    const partitions = Object.values(assigned).map(({ active }) =>
      active.map(task => partsOf(task).partition),
    )
    expect(partitions).toEqual([
      [0, 0],
      [1, 1],
    ])
  })

  test('a member keeps its task when another comes', () => {
    const assigned = assign(
      { a: { process: 'p1', active: ['test_0', 'test_1', 'test_2'] }, b: { process: 'p2' } },
      threeTasks,
    )
    expect(assigned).toMatchObject({ a: { active: ['test_0', 'test_1'] }, b: { active: ['test_2'] } })
  })

  test('the task of one that has gone to the one that kept a copy of it', () => {
    const assigned = assign(
      {
        a: { process: 'p1', active: ['test_0'] },
        c: { process: 'p3', active: ['test_1'], standby: ['test_2'] },
      },
      threeTasks,
    )
    expect(assigned.c!.active).toContain('test_2')
  })

  test('standbys of stateful tasks alone, and never beside the active task', () => {
    const assigned = assign(
      { a: { process: 'p1' }, b: { process: 'p2' } },
      { kept: { tasks: 2 }, passed: { tasks: 2, isStateful: false } },
      1,
    )
    expect(
      Object.values(assigned)
        .flatMap(({ standby }) => standby)
        .sort(),
    ).toEqual(['kept_0', 'kept_1'])
  })

  test('no standby where there is no other process, however many threads there are', () => {
    const assigned = assign({ a: { process: 'p1' }, b: { process: 'p1' } }, threeTasks, 1)
    expect(Object.values(assigned).flatMap(({ standby }) => standby)).toEqual([])
  })

  test('fewer copies than asked for where there are too few processes', () => {
    const assigned = assign({ a: { process: 'p1' }, b: { process: 'p2' } }, { test: { tasks: 1 } }, 2)
    expect(Object.values(assigned).flatMap(({ standby }) => standby)).toEqual(['test_0'])
  })

  test('tasks by load: a process with twice the threads runs twice the tasks', () => {
    const assigned = assign(
      { a1: { process: 'pa' }, a2: { process: 'pa' }, b: { process: 'pb' } },
      { test: { tasks: 6 } },
    )
    expect(Object.values(assigned).map(({ active }) => active.length)).toEqual([2, 2, 2])
  })

  test('nothing to members that are more than the tasks', () => {
    const assigned = assign(
      { a: { process: 'p1' }, b: { process: 'p2' }, c: { process: 'p3' }, d: { process: 'p4' } },
      threeTasks,
    )
    expect(Object.values(assigned).filter(({ active }) => active.length === 0)).toHaveLength(1)
  })
})
