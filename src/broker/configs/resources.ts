/** Kafka's numbers of what can have settings (ConfigResource.Type). */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

/** One thing that has settings. A broker is named by its node id; without a name it stands for all brokers. */
export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}
