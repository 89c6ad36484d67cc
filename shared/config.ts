import { z } from 'zod';

import { durationMs, parseDuration } from './domain/duration';
import { policySchema } from './domain/policy';

const https = z.url({ protocol: /^https$/, error: 'Give an https URL.' }).transform((url) => url.replace(/\/+$/, ''));

/** Pages need cookies that browsers keep on secure origins only; they count http://localhost as one. */
const publicBase = z
  .url()
  .refine(
    (url) => /^(https:\/\/|http:\/\/localhost(:\d+)?(\/|$))/.test(url),
    'Give an https URL, or http://localhost for one machine.',
  )
  .transform((url) => url.replace(/\/+$/, ''));

const policyText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'Give a JSON object.' });
    return z.NEVER;
  }
});

const DAY_MS = 86_400_000;

const limit = z.coerce.number().int().min(1).max(1_000_000);

const settingsSchema = z.object({
  /** The Entra tenant whose people and groups these are. */
  TENANT_ID: z.guid(),
  /** Sign-in authority; another one in national clouds. */
  AUTHORITY_HOST: https.default('https://login.microsoftonline.com'),
  /** Issuer of version 1.0 tokens, without the tenant. */
  AUTHORITY_V1_ISSUER: https.default('https://sts.windows.net'),
  /** Client id of Gatehouse's app registration; tokens must carry it, or `api://` and it, as their audience. */
  API_CLIENT_ID: z.guid(),
  /** Client id of the managed identity; absent for a system-assigned one. */
  AZURE_CLIENT_ID: z.guid().optional(),
  /** `strict`: features that need more Graph permissions than joining does are off, whatever was granted (docs/graph-permissions.md). */
  GRAPH_PERMISSIONS: z.enum(['strict', 'lenient']).default('lenient'),
  /** Client ids of the apps whose tokens count, with commas between; empty: every app of the tenant that has a role. */
  ALLOWED_CLIENTS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim().toLowerCase())
        .filter((part) => part !== ''),
    ),
  GRAPH_ENDPOINT: https.default('https://graph.microsoft.com'),
  /** Scope of the tokens for it; another one in national clouds. */
  GRAPH_SCOPE: https.default('https://graph.microsoft.com/.default'),
  /** Table endpoint of the storage account with requests and trail. */
  TABLES_ENDPOINT: https,
  /** Table endpoint of the second account, which holds the copy of the trail; the first one's only where nobody needs to trust the copy. */
  AUDIT_TABLES_ENDPOINT: https,
  /** Endpoint of the Azure Communication Services resource. */
  MAIL_ENDPOINT: https,
  /** Sender address, of a domain connected to that resource. */
  MAIL_SENDER: z.email(),
  /** Mails that the service takes in a minute; 30 for a custom domain until a higher quota is agreed, 5 for an Azure-managed one. */
  MAIL_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(30),
  /** Mails that it takes in an hour; 100 for a custom domain until a higher quota is agreed, 10 for an Azure-managed one. */
  MAIL_PER_HOUR: z.coerce.number().int().min(1).max(10_000_000).default(100),
  /** Join requests that one system may file in an hour. */
  LIMIT_PER_APP: limit.default(2_000),
  /** Join requests that may be filed for or by one person in an hour, and groups that they may ask to create. */
  LIMIT_PER_PERSON: limit.default(20),
  /** Join requests that may be filed for one group in an hour, changes of it, and names that one person may have checked. */
  LIMIT_PER_GROUP: limit.default(200),
  /** Groups that can't be joined whatever their policy says: object ids, or display names with `*`, with commas between. */
  PROTECTED_GROUPS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
  /** One attempt of a call to Microsoft Graph, mail, tables, the managed identity or the durable engine may take so long: 1 to 60 seconds. */
  CALL_TIMEOUT: z
    .string()
    .refine((text) => {
      const ms = parseDuration(text) ?? 0;
      return ms >= 1_000 && ms <= 60_000;
    }, 'Give an ISO 8601 duration of 1 to 60 seconds, such as PT10S.')
    .default('PT10S')
    .transform(durationMs),
  /** Histories of finished workflows are kept for so long; requests and their trail stay. */
  HISTORY_RETENTION: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) >= DAY_MS, 'Give an ISO 8601 duration of a day or more, such as P30D.')
    .default('P30D'),
  /** Where people reach the app; links in mails start with it. */
  PUBLIC_BASE_URL: publicBase,
  /** The policy in force until an administrator writes one (JSON; see docs/policies.md). */
  DEFAULT_POLICY: policyText.pipe(policySchema).prefault('{}'),
  /** Set by App Service where its Authentication is on; only then do its identity headers count. */
  WEBSITE_AUTH_ENABLED: z
    .string()
    .default('false')
    .transform((text) => text.toLowerCase() === 'true'),
});

/** Names of all settings, as they stand in the environment. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.shape);

/** Every setting of the app, validated. Read once per process. */
export type Config = Readonly<z.output<typeof settingsSchema>>;

/** Thrown at start: each line names a setting and says how to mend it. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Validates all settings at once. @throws {ConfigError} naming every wrong one. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // App Service hands over an empty string for a setting that was cleared
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map(({ path, message }) => {
    const [name, ...rest] = path.map(String);
    const where = rest.length > 0 ? ` (at ${rest.join('.')})` : '';
    return given[name ?? ''] === undefined
      ? `${String(name)} is missing. Add it to the app settings.`
      : `${String(name)} is wrong${where}: ${message}`;
  });
  throw new ConfigError(`Gatehouse can't start with these settings:\n${lines.join('\n')}`);
}
