import type { Context } from './context.ts'

/** One broker as clients are told to reach it. */
export interface BrokerNode {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** The brokers of the cluster, at the addresses of the listener that the request came in by. */
export function brokersOf({ listeners, connection, settings }: Context): BrokerNode[] {
  const { advertisedHost, advertisedPort } = listeners.get(connection.listener)
  return [
    {
      nodeId: settings.get('node.id'),
      host: advertisedHost,
      port: advertisedPort,
      rack: settings.get('broker.rack'),
    },
  ]
}
