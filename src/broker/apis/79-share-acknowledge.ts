/**
 * ShareAcknowledge (KIP-932). Behaviour: settles what a member says of records that it holds: accepted, given back, given up, or
 * held for longer. Answered when it is on disk. Epoch -1 ends the session, and what the member still holds is free again.
 *
 * Versions: locks are renewed from 2 (KIP-1222).
 */
import { sessionEpochs } from '../../groups/share/sessions.ts'
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  ShareAcknowledgeRequest,
  ShareAcknowledgeResponse,
} from '../../protocol/messages/79-share-acknowledge.ts'
import { api } from '../api.ts'
import { acknowledgeAll } from '../share-acknowledgements.ts'

export const shareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: '1-2',
  request: ShareAcknowledgeRequest,
  response: ShareAcknowledgeResponse,

  async handle(request, context) {
    const { groupId, memberId, shareSessionEpoch: epoch, isRenewAck, topics } = request
    if (!groupId || !memberId) throw new KafkaError('INVALID_REQUEST')
    if (epoch === sessionEpochs.initial) throw new KafkaError('INVALID_SHARE_SESSION_EPOCH')
    const { shareReaders } = context
    const session = shareReaders.sessions.continue({ groupId, memberId, epoch })
    const acknowledged = await acknowledgeAll({ groupId, memberId, isRenewAck }, topics, context)
    if (epoch === sessionEpochs.final) await shareReaders.leave(session)
    const errors = new Map(
      acknowledged.map(({ topicId, partition, error }) => [`${topicId}/${partition}`, error]),
    )
    return {
      errorCode: errorCodes.NONE,
      acquisitionLockTimeoutMs: shareReaders.lockDurationMs(groupId),
      responses: topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex }) => {
          const error = errors.get(`${topicId}/${partitionIndex}`)
          return {
            partitionIndex,
            errorCode: error?.code ?? errorCodes.NONE,
            errorMessage: error?.message ?? null,
            currentLeader: { leaderId: 0, leaderEpoch: 0 },
          }
        }),
      })),
      nodeEndpoints: [],
    }
  },

  refuse: (_request, errorCode) => ({
    errorCode,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }),
})
