/** Records of __consumer_offsets. A key stands behind its record type as int16 (0 LegacyOffsetCommit, 1 OffsetCommit, 2 GroupMetadata, 3 ConsumerGroupMetadata, 4 ConsumerGroupPartitionMetadata, 5 ConsumerGroupMemberMetadata, 6 ConsumerGroupTargetAssignmentMetadata, 7 ConsumerGroupTargetAssignmentMember, 8 ConsumerGroupCurrentMemberAssignment, 10 ShareGroupMemberMetadata, 11 ShareGroupMetadata, 12 ShareGroupTargetAssignmentMetadata, 13 ShareGroupTargetAssignmentMember, 14 ShareGroupCurrentMemberAssignment, 15 ShareGroupStatePartitionMetadata, 16 ConsumerGroupRegularExpression, 17 StreamsGroupMetadata, 19 StreamsGroupMemberMetadata, 20 StreamsGroupTargetAssignmentMetadata, 21 StreamsGroupTargetAssignmentMember, 22 StreamsGroupCurrentMemberAssignment, 23 StreamsGroupTopology), a value behind its version as int16. */
import {
  array,
  bytes,
  int16,
  int32,
  int64,
  int8,
  string,
  struct,
  uint16,
  uuid,
  message,
  type Of,
} from '../schema.ts'

export const LegacyOffsetCommitKey = message(
  { versions: '0', flexible: 'none' },
  { group: string, topic: string, partition: int32 },
)
export type LegacyOffsetCommitKey = Of<typeof LegacyOffsetCommitKey>

export const LegacyOffsetCommitValue = message(
  { versions: '0', flexible: 'none' },
  { offset: int64, metadata: string, commitTimestamp: int64 },
)
export type LegacyOffsetCommitValue = Of<typeof LegacyOffsetCommitValue>

export const OffsetCommitKey = message(
  { versions: '0', flexible: 'none' },
  { group: string, topic: string, partition: int32 },
)
export type OffsetCommitKey = Of<typeof OffsetCommitKey>

export const OffsetCommitValue = message(
  { versions: '0-4', flexible: '4+' },
  {
    offset: int64,
    leaderEpoch: int32.in('3+').or(-1),
    metadata: string,
    commitTimestamp: int64,
    expireTimestamp: int64.in('1').or(-1n),
    topicId: uuid.tag(0, '4+'),
  },
)
export type OffsetCommitValue = Of<typeof OffsetCommitValue>

export const GroupMetadataKey = message({ versions: '0', flexible: 'none' }, { group: string })
export type GroupMetadataKey = Of<typeof GroupMetadataKey>

const memberMetadata = struct({
  memberId: string,
  groupInstanceId: string.nullable().in('3+').or(null),
  clientId: string,
  clientHost: string,
  rebalanceTimeout: int32.in('1+').or(-1),
  sessionTimeout: int32,
  subscription: bytes,
  assignment: bytes,
})

export const GroupMetadataValue = message(
  { versions: '0-4', flexible: '4+' },
  {
    protocolType: string,
    generation: int32,
    protocol: string.nullable(),
    leader: string.nullable(),
    currentStateTimestamp: int64.in('2+').or(-1n),
    members: array(memberMetadata),
  },
)
export type GroupMetadataValue = Of<typeof GroupMetadataValue>

export const ConsumerGroupMetadataKey = message({ versions: '0', flexible: 'none' }, { groupId: string })
export type ConsumerGroupMetadataKey = Of<typeof ConsumerGroupMetadataKey>

export const ConsumerGroupMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { epoch: int32, metadataHash: int64.or(0n).tag(0, '0+') },
)
export type ConsumerGroupMetadataValue = Of<typeof ConsumerGroupMetadataValue>

export const ConsumerGroupPartitionMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string },
)
export type ConsumerGroupPartitionMetadataKey = Of<typeof ConsumerGroupPartitionMetadataKey>

export const ConsumerGroupPartitionMetadataValue = message(
  { versions: '0', flexible: '0+' },
  {
    topics: array(
      struct({
        topicId: uuid,
        topicName: string,
        numPartitions: int32,
        partitionMetadata: array(struct({ partition: int32, racks: array(string) })),
      }),
    ),
  },
)
export type ConsumerGroupPartitionMetadataValue = Of<typeof ConsumerGroupPartitionMetadataValue>

export const ConsumerGroupMemberMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ConsumerGroupMemberMetadataKey = Of<typeof ConsumerGroupMemberMetadataKey>

export const ConsumerGroupMemberMetadataValue = message(
  { versions: '0', flexible: '0+' },
  {
    instanceId: string.nullable(),
    rackId: string.nullable(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: string.nullable(),
    rebalanceTimeoutMs: int32.or(-1),
    serverAssignor: string.nullable(),
    classicMemberMetadata: struct({
      sessionTimeoutMs: int32,
      supportedProtocols: array(struct({ name: string, metadata: bytes })),
    })
      .nullable()
      .tag(0, '0+'),
  },
)
export type ConsumerGroupMemberMetadataValue = Of<typeof ConsumerGroupMemberMetadataValue>

export const ConsumerGroupTargetAssignmentMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string },
)
export type ConsumerGroupTargetAssignmentMetadataKey = Of<typeof ConsumerGroupTargetAssignmentMetadataKey>

export const ConsumerGroupTargetAssignmentMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { assignmentEpoch: int32, assignmentTimestamp: int64.or(0n).tag(0, '0+') },
)
export type ConsumerGroupTargetAssignmentMetadataValue = Of<typeof ConsumerGroupTargetAssignmentMetadataValue>

export const ConsumerGroupTargetAssignmentMemberKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ConsumerGroupTargetAssignmentMemberKey = Of<typeof ConsumerGroupTargetAssignmentMemberKey>

export const ConsumerGroupTargetAssignmentMemberValue = message(
  { versions: '0', flexible: '0+' },
  { topicPartitions: array(struct({ topicId: uuid, partitions: array(int32) })) },
)
export type ConsumerGroupTargetAssignmentMemberValue = Of<typeof ConsumerGroupTargetAssignmentMemberValue>

export const ConsumerGroupCurrentMemberAssignmentKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ConsumerGroupCurrentMemberAssignmentKey = Of<typeof ConsumerGroupCurrentMemberAssignmentKey>

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().tag(0, '0+'),
})

export const ConsumerGroupCurrentMemberAssignmentValue = message(
  { versions: '0', flexible: '0+' },
  {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = Of<typeof ConsumerGroupCurrentMemberAssignmentValue>

export const ShareGroupMemberMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ShareGroupMemberMetadataKey = Of<typeof ShareGroupMemberMetadataKey>

export const ShareGroupMemberMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { rackId: string.nullable(), clientId: string, clientHost: string, subscribedTopicNames: array(string) },
)
export type ShareGroupMemberMetadataValue = Of<typeof ShareGroupMemberMetadataValue>

export const ShareGroupMetadataKey = message({ versions: '0', flexible: 'none' }, { groupId: string })
export type ShareGroupMetadataKey = Of<typeof ShareGroupMetadataKey>

export const ShareGroupMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { epoch: int32, metadataHash: int64 },
)
export type ShareGroupMetadataValue = Of<typeof ShareGroupMetadataValue>

export const ShareGroupTargetAssignmentMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string },
)
export type ShareGroupTargetAssignmentMetadataKey = Of<typeof ShareGroupTargetAssignmentMetadataKey>

export const ShareGroupTargetAssignmentMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { assignmentEpoch: int32, assignmentTimestamp: int64.or(0n).tag(0, '0+') },
)
export type ShareGroupTargetAssignmentMetadataValue = Of<typeof ShareGroupTargetAssignmentMetadataValue>

export const ShareGroupTargetAssignmentMemberKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ShareGroupTargetAssignmentMemberKey = Of<typeof ShareGroupTargetAssignmentMemberKey>

export const ShareGroupTargetAssignmentMemberValue = message(
  { versions: '0', flexible: '0+' },
  { topicPartitions: array(struct({ topicId: uuid, partitions: array(int32) })) },
)
export type ShareGroupTargetAssignmentMemberValue = Of<typeof ShareGroupTargetAssignmentMemberValue>

export const ShareGroupCurrentMemberAssignmentKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type ShareGroupCurrentMemberAssignmentKey = Of<typeof ShareGroupCurrentMemberAssignmentKey>

const shareGroupCurrentMemberAssignmentValueTopicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

export const ShareGroupCurrentMemberAssignmentValue = message(
  { versions: '0', flexible: '0+' },
  {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(shareGroupCurrentMemberAssignmentValueTopicPartitions),
  },
)
export type ShareGroupCurrentMemberAssignmentValue = Of<typeof ShareGroupCurrentMemberAssignmentValue>

export const ShareGroupStatePartitionMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string },
)
export type ShareGroupStatePartitionMetadataKey = Of<typeof ShareGroupStatePartitionMetadataKey>

const topicPartitionsInfo = struct({ topicId: uuid, topicName: string, partitions: array(int32) })

const topicInfo = struct({ topicId: uuid, topicName: string })

export const ShareGroupStatePartitionMetadataValue = message(
  { versions: '0', flexible: '0+' },
  {
    initializingTopics: array(topicPartitionsInfo),
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array(topicInfo),
  },
)
export type ShareGroupStatePartitionMetadataValue = Of<typeof ShareGroupStatePartitionMetadataValue>

export const ConsumerGroupRegularExpressionKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, regularExpression: string },
)
export type ConsumerGroupRegularExpressionKey = Of<typeof ConsumerGroupRegularExpressionKey>

export const ConsumerGroupRegularExpressionValue = message(
  { versions: '0', flexible: '0+' },
  { topics: array(string), version: int64, timestamp: int64 },
)
export type ConsumerGroupRegularExpressionValue = Of<typeof ConsumerGroupRegularExpressionValue>

export const StreamsGroupMetadataKey = message({ versions: '0', flexible: 'none' }, { groupId: string })
export type StreamsGroupMetadataKey = Of<typeof StreamsGroupMetadataKey>

const lastAssignmentConfig = struct({ key: string, value: string })

export const StreamsGroupMetadataValue = message(
  { versions: '0', flexible: '0+' },
  {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.or(-1).tag(0, '0+'),
    lastAssignmentConfigs: array(lastAssignmentConfig).nullable().tag(1, '0+'),
  },
)
export type StreamsGroupMetadataValue = Of<typeof StreamsGroupMetadataValue>

export const StreamsGroupMemberMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type StreamsGroupMemberMetadataKey = Of<typeof StreamsGroupMemberMetadataKey>

const endpoint = struct({ host: string, port: uint16 })

const keyValue = struct({ key: string, value: string })

export const StreamsGroupMemberMetadataValue = message(
  { versions: '0', flexible: '0+' },
  {
    instanceId: string.nullable(),
    rackId: string.nullable(),
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32.or(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: endpoint.nullable().or(null),
    clientTags: array(keyValue),
  },
)
export type StreamsGroupMemberMetadataValue = Of<typeof StreamsGroupMemberMetadataValue>

export const StreamsGroupTargetAssignmentMetadataKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string },
)
export type StreamsGroupTargetAssignmentMetadataKey = Of<typeof StreamsGroupTargetAssignmentMetadataKey>

export const StreamsGroupTargetAssignmentMetadataValue = message(
  { versions: '0', flexible: '0+' },
  { assignmentEpoch: int32, assignmentTimestamp: int64.or(0n).tag(0, '0+') },
)
export type StreamsGroupTargetAssignmentMetadataValue = Of<typeof StreamsGroupTargetAssignmentMetadataValue>

export const StreamsGroupTargetAssignmentMemberKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type StreamsGroupTargetAssignmentMemberKey = Of<typeof StreamsGroupTargetAssignmentMemberKey>

const taskIds = struct({ subtopologyId: string, partitions: array(int32) })

export const StreamsGroupTargetAssignmentMemberValue = message(
  { versions: '0', flexible: '0+' },
  { activeTasks: array(taskIds), standbyTasks: array(taskIds), warmupTasks: array(taskIds) },
)
export type StreamsGroupTargetAssignmentMemberValue = Of<typeof StreamsGroupTargetAssignmentMemberValue>

export const StreamsGroupCurrentMemberAssignmentKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, memberId: string },
)
export type StreamsGroupCurrentMemberAssignmentKey = Of<typeof StreamsGroupCurrentMemberAssignmentKey>

const streamsGroupCurrentMemberAssignmentValueTaskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().tag(0, '0+'),
})

export const StreamsGroupCurrentMemberAssignmentValue = message(
  { versions: '0', flexible: '0+' },
  {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    activeTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    activeTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
  },
)
export type StreamsGroupCurrentMemberAssignmentValue = Of<typeof StreamsGroupCurrentMemberAssignmentValue>

export const StreamsGroupTopologyKey = message({ versions: '0', flexible: 'none' }, { groupId: string })
export type StreamsGroupTopologyKey = Of<typeof StreamsGroupTopologyKey>

const topicConfig = struct({ key: string, value: string })

const streamsGroupTopologyValueTopicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(topicConfig),
})

export const StreamsGroupTopologyValue = message(
  { versions: '0', flexible: '0+' },
  {
    epoch: int32,
    subtopologies: array(
      struct({
        subtopologyId: string,
        sourceTopics: array(string),
        sourceTopicRegex: array(string),
        stateChangelogTopics: array(streamsGroupTopologyValueTopicInfo),
        repartitionSinkTopics: array(string),
        repartitionSourceTopics: array(streamsGroupTopologyValueTopicInfo),
        copartitionGroups: array(
          struct({
            sourceTopics: array(int16),
            sourceTopicRegex: array(int16),
            repartitionSourceTopics: array(int16),
          }),
        ),
      }),
    ),
  },
)
export type StreamsGroupTopologyValue = Of<typeof StreamsGroupTopologyValue>
