import type { ClientModule } from '../world.ts'
import { administrator } from './administrator.ts'
import { consumer } from './consumer.ts'
import { consumerMember } from './consumer-member.ts'
import { groupMember } from './group-member.ts'
import { idempotentProducer } from './idempotent-producer.ts'
import { producer } from './producer.ts'
import { transactionalLoop } from './transactional-loop.ts'

/** Who is at work in a simulation, and how many of each. A new kind of client is a module and a line here. */
export const clients: readonly { readonly module: ClientModule; readonly count: number }[] = [
  { module: administrator, count: 1 },
  { module: producer, count: 2 },
  { module: idempotentProducer, count: 3 },
  { module: consumer, count: 2 },
  { module: groupMember, count: 5 },
  { module: consumerMember, count: 4 },
  { module: transactionalLoop, count: 1 },
]
