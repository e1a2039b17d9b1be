/** A feature of the cluster (KIP-584): the levels that this broker could have, and the one it has. */
export interface Feature {
  readonly name: string
  readonly versionMin: number
  readonly versionMax: number
  readonly level: number
}

/** What is finalised: 4.3-IV0 (MetadataVersion.LATEST_PRODUCTION of 4.3.1). Each feature is reported from the release on that serves it. */
export const features: readonly Feature[] = [
  { name: 'metadata.version', versionMin: 7, versionMax: 30, level: 30 },
  { name: 'transaction.version', versionMin: 0, versionMax: 2, level: 2 },
  // Consumer groups (KIP-848).
  { name: 'group.version', versionMin: 0, versionMax: 1, level: 1 },
  // Share groups (KIP-932).
  { name: 'share.version', versionMin: 0, versionMax: 1, level: 1 },
  // Streams groups (KIP-1071).
  { name: 'streams.version', versionMin: 0, versionMax: 1, level: 1 },
]
