import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, HostFailure, messageOf } from './host-failure';

const concurrency = z.int().min(1).optional();

const httpSchema = z.object({
  routePrefix: z.string().default('api'),
  maxConcurrentRequests: z.int().default(-1),
  maxOutstandingRequests: z.int().default(-1),
  customHeaders: z.record(z.string(), z.string()).default({}),
});

const durableSchema = z.object({
  hubName: z.string().default('TestHubName'),
  defaultVersion: z.string().optional(),
  versionMatchStrategy: z.enum(['None', 'Strict', 'CurrentOrOlder']).default('CurrentOrOlder'),
  versionFailureStrategy: z.enum(['Reject', 'Fail']).default('Reject'),
  overridableExistingInstanceStates: z.enum(['NonRunningStates', 'AnyState']).default('NonRunningStates'),
  maxConcurrentOrchestratorFunctions: concurrency,
  maxConcurrentActivityFunctions: concurrency,
});

const hostJsonSchema = z.object({
  version: z.literal('2.0', { error: 'must be "2.0"' }),
  logging: z.object({ logLevel: z.record(z.string(), z.string()).default({}) }).default({ logLevel: {} }),
  extensions: z.object({ http: httpSchema.prefault({}), durableTask: durableSchema.prefault({}) }).prefault({}),
});

const packageSchema = z.object({ main: z.string().min(1), type: z.string().optional() });
const localSettingsSchema = z.object({ Values: z.record(z.string(), z.string()).default({}) });

export type HttpConfig = z.output<typeof httpSchema>;

/** host.json's durableTask section with the extension's defaults filled in. */
export interface DurableConfig extends z.output<typeof durableSchema> {
  maxConcurrentOrchestratorFunctions: number;
  maxConcurrentActivityFunctions: number;
}

/** What the app folder says about how it wants to be run. */
export interface AppConfig {
  folder: string;
  /** Entry point of the app, a path or a glob relative to the folder. */
  main: string;
  isEsm: boolean;
  http: HttpConfig;
  durable: DurableConfig;
  logLevel: Record<string, string>;
}

function readJson<T>(file: string, schema: z.ZodType<T>, ifMissing: string): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new HostFailure(ifMissing);
    throw new HostFailure(`${file} can't be read (${messageOf(error)}); check its permissions.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new HostFailure(`${file} is not JSON (${messageOf(error)}); correct it.`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'} ${issue.message}`);
  throw new HostFailure(`${file} can't be used: ${problems.join('; ')}; correct it.`);
}

/** Replaces each `%NAME%` by the setting of that name; a missing setting is a failure, as on the real host. */
export function resolveSettings(text: string, settings: NodeJS.ProcessEnv = process.env): string {
  return text.replace(/%([^%]+)%/g, (whole, name: string) => {
    const value = settings[name];
    if (value === undefined) {
      throw new HostFailure(
        `'${whole}' does not resolve to a value; set ${name}, in the environment (${name}=…) or under "Values" in the app's local.settings.json.`,
      );
    }
    return value;
  });
}

/** Puts the Values of local.settings.json, where there is one, into the environment; what is set there already wins. */
export function applyLocalSettings(folder: string, environment: NodeJS.ProcessEnv = process.env): void {
  const file = join(folder, 'local.settings.json');
  try {
    readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
  }
  const { Values: values } = readJson(file, localSettingsSchema, `${file} is missing.`);
  for (const [name, value] of Object.entries(values)) environment[name] ??= value;
}

/** Reads host.json and package.json of an app folder; fails with a sentence for its owner. */
export function readAppConfig(folder: string): AppConfig {
  const hostJson = readJson(
    join(folder, 'host.json'),
    hostJsonSchema,
    `${folder} has no host.json; name the folder of a Functions app with --app.`,
  );
  const manifest = readJson(
    join(folder, 'package.json'),
    packageSchema,
    `${folder} has no package.json; it must name the app's entry point in "main".`,
  );
  const { http, durableTask } = hostJson.extensions;
  const byCores = 10 * Math.max(1, cpus().length);
  return {
    folder,
    main: manifest.main,
    isEsm: manifest.type === 'module',
    http,
    durable: {
      ...durableTask,
      hubName: resolveSettings(durableTask.hubName),
      ...(durableTask.defaultVersion !== undefined && { defaultVersion: resolveSettings(durableTask.defaultVersion) }),
      maxConcurrentOrchestratorFunctions: durableTask.maxConcurrentOrchestratorFunctions ?? byCores,
      maxConcurrentActivityFunctions: durableTask.maxConcurrentActivityFunctions ?? byCores,
    },
    logLevel: hostJson.logging.logLevel,
  };
}
