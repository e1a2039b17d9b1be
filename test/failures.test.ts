import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { StorageInUseError } from '../src/base/disk.ts'
import { ConfigError } from '../src/broker/configs/definition.ts'
import { failureLine } from '../src/failures.ts'
import { KafkaError } from '../src/protocol/errors.ts'
import { SequencerError } from '../src/sequencers/errors.ts'
import { StorageFormatError } from '../src/storage/errors.ts'

const systemError = (facts: object): Error =>
  Object.assign(new Error('said by the system'), { errno: -1, ...facts })

describe('one line says what happened and what to do', () => {
  test.each([
    [new ConfigError('unknown setting x'), 'unknown setting x'],
    [new StorageInUseError('d is in use'), 'd is in use'],
    [new StorageFormatError('d is\n  newer'), 'd is newer'],
    [new SequencerError('the counter cannot be moved'), 'the counter cannot be moved'],
    [new KafkaError('KAFKA_STORAGE_ERROR', 'Shard 0 takes no more writes'), 'Shard 0 takes no more writes'],
    [
      systemError({ code: 'EADDRINUSE', address: '127.0.0.1', port: 9092 }),
      'port 9092 of 127.0.0.1 is in use; stop what listens there, or choose another port with --port',
    ],
    [
      systemError({ code: 'EACCES', path: '/data/lock' }),
      'no permission for /data/lock; give --data a directory, or --port a port, that this user may use',
    ],
    [
      systemError({ code: 'ENOSPC', path: '/data/0.log' }),
      'no space left for /data/0.log; make room, or choose another directory with --data',
    ],
    [
      systemError({ code: 'EROFS', path: '/data' }),
      '/data cannot be written to, its file system is read-only; choose another directory with --data',
    ],
    [
      systemError({ code: 'ENOTDIR', path: '/f/d' }),
      '/f/d is not in a directory; choose another directory with --data',
    ],
    [systemError({ code: 'ENOSPC' }), 'said by the system'],
    [systemError({ code: 'ESTALE', path: '/nfs' }), 'said by the system'],
  ])('%s', (error, line) => {
    expect(failureLine(error)).toBe(line)
  })

  test("of Node's own error when a port is taken", async () => {
    const first = createServer()
    const port = await new Promise<number>(resolve => {
      first.listen(0, '127.0.0.1', () => resolve((first.address() as { port: number }).port))
    })
    const error = await new Promise(resolve => {
      createServer().once('error', resolve).listen(port, '127.0.0.1')
    })
    first.close()
    expect(failureLine(error)).toMatch(new RegExp(`^port ${port} of 127.0.0.1 is in use; `))
  })
})

test('what nobody foresaw has no line: it is a bug', () => {
  expect(failureLine(new TypeError('x is not a function'))).toBeUndefined()
  expect(failureLine(Object.assign(new Error('ours'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined()
  expect(failureLine(new KafkaError('INVALID_REQUEST'))).toBeUndefined()
  expect(failureLine('text')).toBeUndefined()
})
