import { expect, test } from 'vitest'
import { parseProperties } from '../../../src/broker/configs/properties.ts'

const read = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text))

test('keys end at an equals sign, a colon or white space', () => {
  expect(read('a=1\nb:2\nc 3\nd = 4\ne : 5\n  f\t6\ng')).toEqual({
    a: '1',
    b: '2',
    c: '3',
    d: '4',
    e: '5',
    f: '6',
    g: '',
  })
})

test('values keep what would end a key, and white space behind', () => {
  expect(read('listeners=PLAINTEXT://:9092,B://:1\na==x \nb= =')).toEqual({
    listeners: 'PLAINTEXT://:9092,B://:1',
    a: '=x ',
    b: '=',
  })
})

test('comments and blank lines say nothing', () => {
  expect(read('# a=1\n ! b=2\n\n \t\nc=3#4')).toEqual({ c: '3#4' })
})

test('a backslash continues a line, even into what looks like a comment', () => {
  expect(read('a=1,\\\n   2,\\\r\n\t#3\nb=4\\\\\nc=5\\')).toEqual({ a: '1,2,#3', b: '4\\', c: '5' })
})

test('escapes stand for what they name', () => {
  expect(read('a\\=b\\:c\\ d=e\nt=\\t\\n\\r\\f\\u00e9\\q\\\\')).toEqual({
    'a=b:c d': 'e',
    t: '\t\n\r\féq\\',
  })
})

test('the last of two equal keys counts', () => {
  expect(read('a=1\na=2')).toEqual({ a: '2' })
})
