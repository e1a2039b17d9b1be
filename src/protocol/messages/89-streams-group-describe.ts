/** StreamsGroupDescribe, API key 89, versions 0. */
import { array, bool, int16, int32, int64, string, struct, uint16, message, type Of } from '../schema.ts'

export const StreamsGroupDescribeRequest = message(
  { versions: '0', flexible: '0+' },
  { groupIds: array(string), includeAuthorizedOperations: bool },
)
export type StreamsGroupDescribeRequest = Of<typeof StreamsGroupDescribeRequest>

const endpoint = struct({ host: string, port: uint16 })

const taskOffset = struct({ subtopologyId: string, partition: int32, offset: int64 })

const taskIds = struct({ subtopologyId: string, partitions: array(int32) })

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

const keyValue = struct({ key: string, value: string })

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
})

export const StreamsGroupDescribeResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        groupId: string,
        groupState: string,
        groupEpoch: int32,
        assignmentEpoch: int32,
        topology: struct({
          epoch: int32,
          subtopologies: array(
            struct({
              subtopologyId: string,
              sourceTopics: array(string),
              repartitionSinkTopics: array(string),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            }),
          )
            .nullable()
            .or(null),
        })
          .nullable()
          .or(null),
        members: array(
          struct({
            memberId: string,
            memberEpoch: int32,
            instanceId: string.nullable().or(null),
            rackId: string.nullable().or(null),
            clientId: string,
            clientHost: string,
            topologyEpoch: int32,
            processId: string,
            userEndpoint: endpoint.nullable().or(null),
            clientTags: array(keyValue),
            taskOffsets: array(taskOffset),
            taskEndOffsets: array(taskOffset),
            assignment: assignment,
            targetAssignment: assignment,
            isClassic: bool,
          }),
        ),
        authorizedOperations: int32.or(-2147483648),
      }),
    ),
  },
)
export type StreamsGroupDescribeResponse = Of<typeof StreamsGroupDescribeResponse>
