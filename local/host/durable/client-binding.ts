import type { ManagementEndpoint } from './management-urls';
import { managementUrls } from './management-urls';

/** The JSON that a function with a durableClient input receives. */
export function clientBinding(endpoint: ManagementEndpoint, rpcBaseUrl: string): string {
  const create = `${endpoint.baseUrl}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: endpoint.taskHub,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${create}?code=${endpoint.key}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${endpoint.key}`,
    },
    managementUrls: { id: 'INSTANCEID', ...managementUrls(endpoint, 'INSTANCEID') },
    baseUrl: endpoint.baseUrl,
    requiredQueryStringParameters: `code=${endpoint.key}`,
    rpcBaseUrl,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  });
}
