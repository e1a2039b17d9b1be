import { expect, test } from 'vitest'
import { operate, operations } from '../../../src/broker/configs/operations.ts'
import { topicConfigs } from '../../../src/broker/configs/tables/topic.ts'

const name = 'cleanup.policy'

function changed(current: string, operation: 'append' | 'subtract', value: string): string | undefined {
  const asked = [{ name, configOperation: operations[operation], value }]
  return operate(
    new Map([[name, current]]),
    asked,
    () => topicConfigs[name],
    () => 'no list',
  ).get(name)
}

test.each([
  ['compact,', 'delete,compact'],
  ['compact,,', 'delete,compact'],
  [',', 'delete'],
  [',,', 'delete'],
  [',compact', 'delete,,compact'],
  ['compact,,delete', 'delete,compact,'],
  ['', 'delete,'],
])("appends %j as Java's split reads it", (value, expected) => {
  expect(changed('delete', 'append', value)).toBe(expected)
})

test('subtracts what stands before commas at the end', () => {
  expect(changed('delete,compact', 'subtract', 'compact,,')).toBe('delete')
  expect(changed('delete,compact', 'subtract', ',')).toBe('delete,compact')
})

test('subtracts one of two that are the same for each time that it is named', () => {
  expect(changed('compact,compact', 'subtract', 'compact')).toBe('compact')
  expect(changed('compact,delete,compact', 'subtract', 'compact')).toBe('delete,compact')
  expect(changed('compact,compact', 'subtract', 'compact,compact')).toBe('')
})
