/** The partition of an internal topic that coordinates `key`, chosen as Kafka does (Utils.abs of Java's String.hashCode). */
export function partitionFor(key: string, partitionCount: number): number {
  let hash = 0
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  // Java cannot negate its lowest int, so Kafka counts it as 0.
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount
}
