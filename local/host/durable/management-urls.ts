/** Where the management API of a task hub is reached, and with which key. */
export interface ManagementEndpoint {
  /** `http://localhost:7071/runtime/webhooks/durabletask`, without a slash at its end. */
  baseUrl: string;
  taskHub: string;
  key: string;
}

type Operation =
  | 'statusQueryGet'
  | 'sendEventPost'
  | 'terminatePost'
  | 'rewindPost'
  | 'purgeHistoryDelete'
  | 'restartPost'
  | 'suspendPost'
  | 'resumePost';

/** The addresses at which an instance is managed, named as the extension names them. */
export type ManagementUrls = Record<`${Operation}Uri`, string>;

/** Makes an instance's management addresses; its id is put in as it is, as the extension does. */
export function managementUrls({ baseUrl, taskHub, key }: ManagementEndpoint, instanceId: string): ManagementUrls {
  const instance = `${baseUrl}/instances/${instanceId}`;
  const query = `taskHub=${taskHub}&connection=Storage&code=${key}`;
  const withReason = (verb: string): string => `${instance}/${verb}?reason={text}&${query}`;
  return {
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: withReason('terminate'),
    rewindPostUri: withReason('rewind'),
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: withReason('suspend'),
    resumePostUri: withReason('resume'),
  };
}
