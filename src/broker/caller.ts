import type { Caller } from '../groups/caller.ts'
import type { Context } from './context.ts'

/** Who asks, as the coordinators want to know it. */
export function callerOf({ version, clientId, connection }: Context): Caller {
  return { version, clientId: clientId ?? '', clientHost: `/${connection.clientHost}` }
}
