import { ManagedIdentityCredential } from '@azure/identity';

import { readConfig } from './config';
import type { Config } from './config';
import type { Directory } from './directory/directory';
import { graphDirectory } from './directory/graph';
import { acsMailer } from './mail/acs';
import type { Mailer } from './mail/mailer';
import { connectRecords } from './records/records';
import type { Records } from './records/records';
import { tokenVerifier } from './web/tokens';
import type { TokenVerifier } from './web/tokens';

/** What doors and workflows work with. */
export interface Services {
  config: Config;
  directory: Directory;
  mailer: Mailer;
  records: Records;
  tokens: TokenVerifier;
}

let present: Services | undefined;

/** The services of this process: one credential and one client each, made on first use. @throws {ConfigError} for wrong settings. */
export function services(): Services {
  present ??= connect(readConfig(process.env));
  return present;
}

function connect(config: Config): Services {
  const credential =
    config.AZURE_CLIENT_ID === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId: config.AZURE_CLIENT_ID });
  return {
    config,
    directory: graphDirectory({ endpoint: config.GRAPH_ENDPOINT, scope: config.GRAPH_SCOPE, credential }),
    mailer: acsMailer({ endpoint: config.MAIL_ENDPOINT, sender: config.MAIL_SENDER, credential }),
    records: connectRecords(config.TABLES_ENDPOINT, credential),
    tokens: tokenVerifier(config),
  };
}
