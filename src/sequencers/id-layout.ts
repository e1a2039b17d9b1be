/** Where an id has its parts: 41 bits of milliseconds since `epochMs`, then who made it, then a number within the millisecond. */
export interface IdLayout {
  readonly makerBits: number
  readonly sequenceBits: number
}

export const timestampBits = 41n

/** The parts of an id. */
export interface IdParts {
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly maker: number
  readonly sequence: number
}

/** Scarab ids and the seed's transaction and session ids: a sign bit that is 0, and room for 4096 ids in a millisecond. */
export const scarabLayout: IdLayout = { makerBits: 10, sequenceBits: 12 }
/** The seed's timestamps: all 64 bits, so that they are unsigned, and 8192 in a millisecond. */
export const oracleLayout: IdLayout = { makerBits: 10, sequenceBits: 13 }

/** When the first Snowflake was made, 2010-11-04T01:42:54.657Z, which the seeds count from as well. */
export const snowflakeEpochMs = 1_288_834_974_657

export function makerMax({ makerBits }: IdLayout): number {
  return 2 ** makerBits - 1
}

export function sequenceMax({ sequenceBits }: IdLayout): number {
  return 2 ** sequenceBits - 1
}

/** An id; `timestamp` in milliseconds since the epoch. */
export function composeId(layout: IdLayout, timestamp: number, maker: number, sequence: number): bigint {
  const low = maker * 2 ** layout.sequenceBits + sequence
  return (BigInt(timestamp) << BigInt(layout.makerBits + layout.sequenceBits)) | BigInt(low)
}

/** The parts of an id that was made with this layout and epoch. */
export function idParts(layout: IdLayout, id: bigint, epochMs: number = snowflakeEpochMs): IdParts {
  const lowBits = layout.makerBits + layout.sequenceBits
  const low = Number(BigInt.asUintN(lowBits, id))
  return {
    timestampMs: Number(id >> BigInt(lowBits)) + epochMs,
    maker: low >>> layout.sequenceBits,
    sequence: low & sequenceMax(layout),
  }
}
