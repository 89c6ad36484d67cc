import { groups, tenant } from '../demo-tenant';
import type { Ports } from './ports';

/** The policy of groups that have none of their own, as the app setting of that name holds it. */
export const DEFAULT_POLICY = JSON.stringify({
  optedIn: true,
  fallbackApprovers: [{ kind: 'groupMembers', groupId: groups.fallbackApprovers.id }],
});

/** The sender of all mails; its domain is the one that the local mail service knows. */
export const MAIL_SENDER = `gatehouse@${tenant.domain}`;

/** Azurite's account, the same on every machine. */
export const STORAGE_ACCOUNT = 'devstoreaccount1';
// Published in Azurite's documentation; opens nothing but an Azurite.
const STORAGE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Where a browser, `curl` and the app find the parts. `https` addresses are for the app. */
export interface Urls {
  frontDoor: string;
  host: string;
  entra: string;
  entraHttps: string;
  directory: string;
  directoryHttps: string;
  mail: string;
  mailHttps: string;
  tables: string;
  /** The wire before the tables, where there is one: what the app is given, and the address of its admin calls. */
  wire: string;
  wireAdmin: string;
  /** Where the host takes the durable client's calls, and the wire before that. */
  durable: string;
  durableWire: string;
  durableWireAdmin: string;
}

/** The addresses that belong to `ports`. */
export function urlsOf(ports: Ports): Urls {
  const http = (port: number): string => `http://localhost:${port}`;
  const https = (port: number): string => `https://localhost:${port}`;
  return {
    frontDoor: http(ports.frontDoor),
    host: http(ports.host),
    entra: http(ports.entra),
    entraHttps: https(ports.entraHttps),
    directory: http(ports.directory),
    directoryHttps: https(ports.directoryHttps),
    mail: http(ports.mail),
    mailHttps: https(ports.mailHttps),
    tables: `${https(ports.tables)}/${STORAGE_ACCOUNT}`,
    wire: `${https(ports.wire)}/${STORAGE_ACCOUNT}`,
    wireAdmin: http(ports.wireAdmin),
    durable: http(ports.durable),
    durableWire: http(ports.durableWire),
    durableWireAdmin: http(ports.durableWireAdmin),
  };
}

/** The app's settings, as Azure would put them into its environment, plus the one that lets Node trust the stack's certificate. */
export function appSettings(options: {
  urls: Urls;
  wires: boolean;
  identityHeader: string;
  caFile: string;
}): Record<string, string> {
  const { urls } = options;
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    TASKHUB_NAME: 'Gatehouse',
    TENANT_ID: tenant.id,
    AUTHORITY_HOST: urls.entraHttps,
    API_CLIENT_ID: tenant.apiClientId,
    AZURE_CLIENT_ID: tenant.identity.clientId,
    IDENTITY_ENDPOINT: `${urls.entra}/msi/token`,
    IDENTITY_HEADER: options.identityHeader,
    GRAPH_ENDPOINT: urls.directoryHttps,
    TABLES_ENDPOINT: options.wires ? urls.wire : urls.tables,
    // one account is enough on one machine; past the wire, whose faults are for the app's own tables
    AUDIT_TABLES_ENDPOINT: urls.tables,
    MAIL_ENDPOINT: urls.mailHttps,
    MAIL_SENDER,
    // the local mail service has no quota unless a test sets one
    MAIL_PER_MINUTE: '10000',
    MAIL_PER_HOUR: '100000',
    // tests and benchmarks file much for few people; whoever tests the limits sets them
    LIMIT_PER_APP: '1000000',
    LIMIT_PER_PERSON: '100000',
    LIMIT_PER_GROUP: '100000',
    PUBLIC_BASE_URL: urls.frontDoor,
    DEFAULT_POLICY,
    WEBSITE_AUTH_ENABLED: 'True',
    NODE_EXTRA_CA_CERTS: options.caFile,
  };
}

/** The connection string of the host's own storage: an Azurite over plain HTTP, which is all that the real host can use. */
export function storageConnection(ports: Ports): string {
  const at = (port: number): string => `http://127.0.0.1:${port}/${STORAGE_ACCOUNT}`;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${STORAGE_ACCOUNT}`,
    `AccountKey=${STORAGE_KEY}`,
    `BlobEndpoint=${at(ports.storageBlob)}`,
    `QueueEndpoint=${at(ports.storageQueue)}`,
    `TableEndpoint=${at(ports.storageTable)}`,
    '',
  ].join(';');
}
