import { expect, test } from 'vitest'
import { Misread, valueTypes } from '../../../src/broker/configs/value-types.ts'

const { DOUBLE } = valueTypes

test.each([
  ['0.5f', '0.5'],
  [' .5D ', '0.5'],
  ['1d', '1.0'],
  ['1.', '1.0'],
  ['1E1f', '10.0'],
  ['+Infinity', 'Infinity'],
  ['-NaN', 'NaN'],
])('reads the double %j as Java does', (text, canonical) => {
  expect(DOUBLE.parse(text)).not.toBeInstanceOf(Misread)
  expect(DOUBLE.canonical(text)).toBe(canonical)
})

test.each(['nan', 'infinity', 'INFINITY', 'NaNf', 'f', '.', '1e', '1ff', ''])(
  'takes %j for no double, as Java does',
  text => expect(DOUBLE.parse(text)).toBeInstanceOf(Misread),
)
