import { ManagedIdentityCredential } from '@azure/identity';
import type { TokenCredential } from '@azure/identity';

import { AUDIT_TABLE, auditCopy } from './audit/copy';
import type { AuditCopy } from './audit/copy';
import { readConfig } from './config';
import type { Config } from './config';
import type { Directory } from './directory/directory';
import { graphDirectory } from './directory/graph';
import { groupListing } from './directory/group-listing';
import type { GroupListing } from './directory/group-listing';
import { objectLookup } from './directory/object-lookup';
import type { ObjectLookup } from './directory/object-lookup';
import { acsMailer } from './mail/acs';
import type { Mailer } from './mail/mailer';
import { connectRecords } from './records/records';
import type { Records } from './records/records';
import { connectTable } from './records/tables';
import { timeLimited } from './request-timeout';
import { tokenVerifier } from './web/tokens';
import type { TokenVerifier } from './web/tokens';

/** What doors and workflows work with. */
export interface Services {
  config: Config;
  /** The app's own identity. */
  credential: TokenCredential;
  directory: Directory;
  /** All groups of the tenant, for reports. */
  groups: GroupListing;
  /** Many groups or people at once, for the reconcile. */
  lookup: ObjectLookup;
  mailer: Mailer;
  records: Records;
  /** The copy of the trail, in an account of its own. */
  audit: AuditCopy;
  tokens: TokenVerifier;
}

let present: Services | undefined;

/** The services of this process: one credential and one client each, made on first use. @throws {ConfigError} for wrong settings. */
export function services(): Services {
  present ??= connect(readConfig(process.env));
  return present;
}

function connect(config: Config): Services {
  const timeoutMs = config.CALL_TIMEOUT;
  const credential = timeLimited(
    config.AZURE_CLIENT_ID === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId: config.AZURE_CLIENT_ID }),
    timeoutMs,
  );
  const allowed = {
    mails: { perMinute: config.MAIL_PER_MINUTE, perHour: config.MAIL_PER_HOUR },
    calls: { app: config.LIMIT_PER_APP, person: config.LIMIT_PER_PERSON, group: config.LIMIT_PER_GROUP },
  };
  const records = connectRecords(config.TABLES_ENDPOINT, credential, allowed, timeoutMs);
  const graph = {
    endpoint: config.GRAPH_ENDPOINT,
    scope: config.GRAPH_SCOPE,
    credential,
    strict: config.GRAPH_PERMISSIONS === 'strict',
    timeoutMs,
  };
  return {
    config,
    credential,
    directory: graphDirectory({ ...graph, throttled: noteThrottling(records) }),
    groups: groupListing(graph),
    lookup: objectLookup(graph),
    mailer: acsMailer({ endpoint: config.MAIL_ENDPOINT, sender: config.MAIL_SENDER, credential, timeoutMs }),
    records,
    audit: auditCopy(connectTable(config.AUDIT_TABLES_ENDPOINT, credential, AUDIT_TABLE, timeoutMs)),
    tokens: tokenVerifier(config),
  };
}

/** A flood of answers 429 is noted once in so many milliseconds by each process. */
const NOTE_EVERY_MS = 10_000;

/** Notes for operations that Graph throttles. Nothing waits for it, and nothing fails where it can't be noted. */
function noteThrottling({ notes }: Records): (seconds: number | undefined) => void {
  let noted = 0;
  return (seconds) => {
    const now = Date.now();
    if (now - noted < NOTE_EVERY_MS) return;
    noted = now;
    notes
      .write('throttled', {
        at: new Date(now).toISOString(),
        ...(seconds !== undefined && { retryAfterMs: seconds * 1_000 }),
      })
      .catch(() => undefined);
  };
}
