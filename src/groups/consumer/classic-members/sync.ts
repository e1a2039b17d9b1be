import { KafkaError } from '../../../protocol/errors.ts'
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts'
import type { Parked } from '../../../coordination/parked.ts'
import { consumerProtocolType } from '../../classic/group.ts'
import type { SyncReply } from '../../classic/member.ts'
import type { Turn } from '../../turn.ts'
import { keepAlive } from '../deadlines.ts'
import { assignmentBytes } from '../embedded-protocol.ts'
import type { ConsumerGroup } from '../group.ts'
import { memberStates } from '../member.ts'
import { awaitJoin } from './heartbeat.ts'
import { classicSpeaker } from './speaker.ts'

/** Decides a SyncGroup in a consumer group: the member hears what it is assigned, in the words of its own protocol. */
export function syncConsumers(
  turn: Turn,
  group: ConsumerGroup,
  request: SyncGroupRequest,
  parked: Parked<SyncReply>,
): void {
  const member = classicSpeaker(group, request)
  const [protocol] = member.metadata.classicMemberMetadata!.supportedProtocols
  const { protocolType, protocolName } = request
  const isConsistent =
    (protocolType === null || protocolType === consumerProtocolType) &&
    (protocolName === null || protocolName === protocol?.name)
  if (!isConsistent) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  const { memberEpoch, state, assigned } = member.current
  if (group.target.epoch > memberEpoch && state !== memberStates.unrevokedPartitions) {
    awaitJoin(turn, group, member)
    throw new KafkaError('REBALANCE_IN_PROGRESS')
  }
  member.sync.cancel()
  keepAlive(turn, group, member)
  turn.answer(parked, {
    errorCode: 0,
    protocolType,
    protocolName,
    assignment: assignmentBytes(assigned, turn.environment.lookup, protocol?.metadata),
  })
}
