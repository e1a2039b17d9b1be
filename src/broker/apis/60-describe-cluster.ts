/**
 * DescribeCluster. Behaviour: the brokers by the addresses of the listener that was asked. No listener is a controller's.
 *
 * Versions: endpoint types from 1 (KIP-919), fenced brokers from 2 (KIP-1073); none ever is.
 */
import { errorCodes } from '../../protocol/errors.ts'
import {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '../../protocol/messages/60-describe-cluster.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { clusterOperations, noOperations } from '../authorized-operations.ts'
import { brokersOf } from '../cluster.ts'

/** org.apache.kafka.clients.admin EndpointType. */
const endpointTypes = { broker: 1, controller: 2 }

export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  request: DescribeClusterRequest,
  response: DescribeClusterResponse,

  handle(request, context) {
    const { endpointType } = request
    if (endpointType === endpointTypes.controller) {
      return refused(
        errorCodes.MISMATCHED_ENDPOINT_TYPE,
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
      )
    }
    if (endpointType !== endpointTypes.broker) {
      return refused(errorCodes.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`)
    }
    return {
      errorCode: errorCodes.NONE,
      endpointType,
      clusterId: context.catalog.clusterId,
      controllerId: context.settings.get('node.id'),
      brokers: brokersOf(context).map(({ nodeId, host, port, rack }) => ({
        brokerId: nodeId,
        host,
        port,
        rack,
      })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : noOperations,
    }
  },

  refuse: (_request, errorCode) => refused(errorCode, null),
})

function refused(errorCode: number, errorMessage: string | null): Draft<typeof DescribeClusterResponse> {
  return { errorCode, errorMessage, clusterId: '', brokers: [] }
}
