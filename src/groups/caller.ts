/** Who asks, and in which version of the API. */
export interface Caller {
  readonly version: number
  readonly clientId: string
  /** The peer's address as Kafka shows it to operators: `/127.0.0.1`. */
  readonly clientHost: string
}
