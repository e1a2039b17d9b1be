import type { ClientModule } from '../world.ts'
import { administrator } from './administrator.ts'
import { consumer } from './consumer.ts'
import { consumerMember } from './consumer-member.ts'
import { groupMember } from './group-member.ts'
import { idempotentProducer } from './idempotent-producer.ts'
import { producer } from './producer.ts'
import { transactionalLoop } from './transactional-loop.ts'
import { vlsnCommitter } from './vlsn-committer.ts'
import { vlsnViewReader } from './vlsn-view-reader.ts'
import { vlsnWriter } from './vlsn-writer.ts'

type Cast = readonly { readonly module: ClientModule; readonly count: number }[]

/** Who is at work in a simulation, and how many of each. A new kind of client is a module and a line here. */
export const casts = {
  all: [
    { module: administrator, count: 1 },
    { module: producer, count: 2 },
    { module: idempotentProducer, count: 3 },
    { module: consumer, count: 2 },
    { module: groupMember, count: 5 },
    { module: consumerMember, count: 4 },
    { module: transactionalLoop, count: 1 },
    { module: vlsnWriter, count: 1 },
    { module: vlsnViewReader, count: 1 },
    { module: vlsnCommitter, count: 1 },
  ],
  /** For many schedules of VLSNs alone. */
  vlsn: [
    { module: vlsnWriter, count: 1 },
    { module: vlsnViewReader, count: 2 },
    { module: vlsnCommitter, count: 2 },
  ],
} satisfies Record<string, Cast>

export type CastName = keyof typeof casts
