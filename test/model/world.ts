import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

import { HttpRequest, InvocationContext } from '@azure/functions';
import { z } from 'zod';

import { tenant } from '../../local/demo-tenant';
import { createDirectory } from '../../local/directory/directory';
import { groupDefaults, userDefaults } from '../../local/directory/properties';
import { durableFunctions } from '../../local/host/durable/durable-functions';
import { create, runEpisode } from '../../local/host/durable/episode';
import type { EpisodeContext } from '../../local/host/durable/episode';
import { activityFailure } from '../../local/host/durable/failure-details';
import type { HistoryEvent } from '../../local/host/durable/history';
import { events } from '../../local/host/durable/history';
import { DurableStore, isFinal } from '../../local/host/durable/store';
import type { ScheduledActivity } from '../../local/host/durable/store';
import type * as Core from '../../local/host/functions-core';
import { createInvoker } from '../../local/host/invocation';
import { createMail } from '../../local/mail/mail';
import type * as Durable from '../../orchestrations/durable';
import type { Instances } from '../../orchestrations/durable';
import { copyTrails, sealDays } from '../../orchestrations/audit';
import { end } from '../../orchestrations/activities/end';
import { notify } from '../../orchestrations/activities/notify';
import { settle } from '../../orchestrations/activities/settle';
import type { Standing, StepInput } from '../../orchestrations/activities/standing';
import { tell } from '../../orchestrations/activities/tell';
import { warn } from '../../orchestrations/activities/warn';
import { grantWorkflows } from '../../orchestrations/grant';
import { changeWorkflows } from '../../orchestrations/group-change';
import { lifeWorkflows } from '../../orchestrations/group-life';
import { joinWorkflows } from '../../orchestrations/join-request';
import { careWorkflows } from '../../orchestrations/ownerless';
import { sweep } from '../../orchestrations/sweeper';
import { routes } from '../../functions/routes';
import { AUDIT_TABLE, auditCopy } from '../../shared/audit/copy';
import { verifyAudit } from '../../shared/audit/verify';
import type { Finding } from '../../shared/audit/verify';
import { readConfig } from '../../shared/config';
import type { Config } from '../../shared/config';
import type { Directory } from '../../shared/directory/directory';
import { graphDirectory } from '../../shared/directory/graph';
import { groupListing } from '../../shared/directory/group-listing';
import { objectLookup } from '../../shared/directory/object-lookup';
import type { JoinRequest } from '../../shared/domain/join-request';
import type { Mailer } from '../../shared/mail/mailer';
import { MailUnavailable } from '../../shared/mail/mailer';
import type { Dossier } from '../../shared/records/join-requests';
import type { Membership } from '../../shared/records/memberships';
import type { OpenRow } from '../../shared/records/open-rows';
import { recordsIn } from '../../shared/records/records';
import type { Records } from '../../shared/records/records';
import { tablesOf } from '../../shared/records/tables';
import type { Table, Tables } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { appProcess } from './app-process';
import type * as Process from './app-process';
import { callerSchema } from './callers';
import type { ActingCaller } from './callers';
import { memoryTable } from './memory-tables';
import { Schedule } from './schedule';

// The doors and the workflows are the app's own; what connects them to a process of the Functions host is put in their place.
jest.mock(
  '@azure/functions-core',
  () => {
    const made = jest
      .requireActual<typeof Core>('../../local/host/functions-core')
      .createFunctionsCore(() => undefined);
    jest.requireActual<typeof Process>('./app-process').appProcess.core = made;
    return made.module;
  },
  { virtual: true },
);
jest.mock('durable-functions', () => ({
  ...jest.requireActual<object>('durable-functions'),
  getClient: () => ({}),
}));
jest.mock('../../orchestrations/durable', () => ({
  ...jest.requireActual<typeof Durable>('../../orchestrations/durable'),
  instances: () => jest.requireActual<typeof Process>('./app-process').appProcess.instances,
}));
jest.mock('../../shared/services', () => ({
  services: () => jest.requireActual<typeof Process>('./app-process').appProcess.services,
}));

const ACTIVITIES: Record<string, (services: Services, input: StepInput) => Promise<Standing>> = {
  notify,
  settle,
  tell,
  warn,
  end,
};

const MINUTE = 60_000;
/** So long each outgoing call takes. */
const CALL_MS = 3;
/** When every run begins. */
const BEGIN = Date.parse('2031-03-03T09:00:30Z');
/** An open row that is still overdue after so many sweeps is never mended. */
const MOST_SWEEPS = 12;

const config: Config = readConfig({
  TENANT_ID: tenant.id,
  API_CLIENT_ID: '00000000-0000-4000-8000-0000000000a1',
  GRAPH_ENDPOINT: 'https://graph.model.test',
  TABLES_ENDPOINT: 'https://tables.model.test',
  AUDIT_TABLES_ENDPOINT: 'https://audit.model.test',
  MAIL_ENDPOINT: 'https://mail.model.test',
  MAIL_SENDER: `gatehouse@${tenant.domain}`,
  PUBLIC_BASE_URL: 'https://gatehouse.model.test',
  MAIL_PER_MINUTE: '1000000',
  MAIL_PER_HOUR: '10000000',
  LIMIT_PER_APP: '1000000',
  LIMIT_PER_PERSON: '1000000',
  LIMIT_PER_GROUP: '1000000',
  DEFAULT_POLICY: '{"optedIn":true}',
});

// ---- time

const RealDate = Date;
let now = BEGIN;

/** `Date` of everything that runs here shows the world's clock. */
function takeTheClock(): void {
  class WorldDate extends RealDate {
    constructor(...given: unknown[]) {
      if (given.length === 0) super(now);
      else super(...(given as [number]));
    }
    static override now(): number {
      return now;
    }
    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof RealDate;
    }
  }
  globalThis.Date = WorldDate as DateConstructor;
}

export interface Person {
  id: string;
  name: string;
}
export interface Answer {
  status: number;
  json: unknown;
}
export interface MailSeen {
  operationId: string;
  to: string;
  subject: string;
  text: string;
}

export interface WorldOptions {
  people: readonly Person[];
  groups: readonly (Person & { owners: readonly string[] })[];
  /** Tables to work on; in memory when absent. */
  table?: (name: string) => Table;
}

const accepted = z.object({ id: z.string(), status: z.string() });
const inboxSchema = z.object({
  messages: z.array(
    z.object({
      operationId: z.string(),
      recipients: z.array(z.object({ address: z.string() })),
      subject: z.string(),
      plainText: z.string().nullish(),
    }),
  ),
});

/**
 * Gatehouse in one process, under a clock and a schedule of its own: the app's doors, use cases, orchestrations, activities, sweeper and
 * audit, unchanged; the local host's episodes and durable store; the local directory behind the app's Graph client; the local mail service.
 */
export class World {
  readonly schedule = new Schedule();
  readonly directory;
  /** Every call that changed a membership, as the directory took it. */
  readonly memberCalls: { kind: 'add' | 'remove'; group: string; person: string; result: string }[] = [];
  /** Activities run twice, events arrive twice. */
  duplicates = false;
  /** Told at the start of every activity. */
  onActivity: (name: string, requestId: string) => void = () => undefined;
  /** Reads what stands, past the schedule. */
  readonly records: Records;

  private readonly raw: Tables;
  private readonly rawAudit: Table;
  private readonly mail;
  private readonly store = new DurableStore(new DatabaseSync(':memory:'));
  private readonly episodes: EpisodeContext;
  private readonly running = new Set<number>();
  private sweeping = false;
  private startable: (() => Promise<void>)[] | undefined;
  private due: number | undefined;
  private present: Services;

  constructor(private readonly options: WorldOptions) {
    takeTheClock();
    now = BEGIN;
    const table = options.table ?? ((): Table => memoryTable());
    this.raw = tablesOf(table);
    this.rawAudit = table(AUDIT_TABLE);
    this.records = recordsIn(this.raw, { mails: { perMinute: 1, perHour: 1 }, calls: { app: 1, person: 1, group: 1 } });

    const claims = (aud: string) => () =>
      Promise.resolve({
        aud,
        exp: Math.floor(now / 1_000) + 3_600,
        iss: 'model',
        tid: tenant.id,
        oid: '00000000-0000-4000-8000-0000000000b1',
        appid: 'model',
        roles: ['Directory.ReadWrite.All', 'GroupMember.ReadWrite.All', 'User.Read.All'],
      });
    this.directory = createDirectory({
      state: ':memory:',
      seed: 'none',
      verifyToken: claims('https://graph.microsoft.com'),
      publicBase: () => config.GRAPH_ENDPOINT,
    });
    this.mail = createMail({
      state: ':memory:',
      senderDomains: [tenant.domain],
      verifyToken: claims('https://communication.azure.com'),
      acsBase: () => config.MAIL_ENDPOINT,
      acceptDelayMs: 0,
    });
    const { graph } = this.directory;
    globalThis.fetch = async (input, init) => graph.fetch(new Request(input, init));
    this.seed();

    const { core } = appProcess;
    if (core === undefined) throw new Error('the app is not loaded');
    this.episodes = {
      store: this.store,
      functions: durableFunctions(core.registrations),
      invoker: createInvoker(core.registrations, () => undefined),
      config: {
        hubName: 'Model',
        defaultVersion: '1.0',
        versionMatchStrategy: 'CurrentOrOlder',
        versionFailureStrategy: 'Reject',
        overridableExistingInstanceStates: 'NonRunningStates',
        maxConcurrentOrchestratorFunctions: 10,
        maxConcurrentActivityFunctions: 10,
      },
      log: () => undefined,
    };
    this.schedule.onCall = () => {
      now += CALL_MS;
    };
    this.present = this.process();
  }

  now(): number {
    return now;
  }

  close(): void {
    this.schedule.kill();
    this.directory.close();
    void this.mail.close();
  }

  // ---- what is asked of the app

  /** Starts a call of a door; `answered` gets the answer, and nothing where the process dies first. */
  call(
    door: string,
    caller: ActingCaller,
    given: { params?: Record<string, string>; body?: unknown; headers?: Record<string, string> },
    answered: (answer: Answer) => void = () => undefined,
  ): void {
    const found = routes.find(({ name }) => name === door);
    if (found === undefined) throw new Error(`there is no door ${door}`);
    this.schedule.start(async () => {
      const request = new HttpRequest({
        method: found.method,
        url: `https://gatehouse.model.test/api/${found.route}`,
        params: given.params ?? {},
        headers: {
          authorization: `Bearer ${Buffer.from(JSON.stringify(caller)).toString('base64url')}`,
          ...(given.body !== undefined && { 'content-type': 'application/json' }),
          ...given.headers,
        },
        ...(given.body !== undefined && { body: { string: JSON.stringify(given.body) } }),
      });
      const context = new InvocationContext({ functionName: door });
      const {
        status = 200,
        jsonBody,
        body,
      } = (await found.handler(request, context)) as {
        status?: number;
        jsonBody?: unknown;
        body?: unknown;
      };
      answered({ status, json: jsonBody ?? (typeof body === 'string' && body !== '' ? JSON.parse(body) : undefined) });
    });
  }

  /** Something that happens outside of the app, at a moment that the schedule chooses. */
  outside(work: () => Promise<void>): void {
    const gate = this.schedule.gate();
    this.schedule.start(() => gate('outside', work));
  }

  /** Goes on until everything sleeps, or until so many calls were made. */
  settle(most?: number): Promise<'quiet' | 'stopped'> {
    return this.schedule.settle(() => this.ready(), most);
  }

  /** The host dies and, after so many milliseconds, runs again. */
  kill(downMs: number): void {
    this.schedule.kill();
    this.running.clear();
    this.changed();
    this.sweeping = false;
    now += downMs;
    this.present = this.process();
    this.fireTimers();
  }

  /** Lets time pass, with everything that comes due in it. */
  async pass(until: number): Promise<void> {
    await this.settle();
    let sweeps = 0;
    let before = '';
    for (;;) {
      const next = await this.nextStep();
      if (next === undefined || next.at > until) break;
      // the same row again and again: nobody takes its step
      if (next.key !== '') sweeps = next.key === before ? sweeps + 1 : 0;
      if (next.key !== '') before = next.key;
      if (sweeps > MOST_SWEEPS) throw new Error(`nobody takes the step ${next.key}`);
      this.reach(next.at);
      await this.settle();
    }
    if (now < until) now = until;
  }

  /** Lets time pass until this moment, and begins what comes due at it. */
  async arrive(at: number): Promise<void> {
    await this.pass(at - 1);
    this.reach(at);
  }

  /** When something comes due next, in milliseconds since 1970. */
  async nextDue(): Promise<number | undefined> {
    return (await this.nextStep())?.at;
  }

  // ---- what stands

  async request(id: string): Promise<JoinRequest | undefined> {
    return (await this.records.requests.read(id))?.request;
  }

  dossier(id: string): Promise<Dossier | undefined> {
    return this.records.requests.dossier(id);
  }

  membership(group: string, person: string): Promise<Membership | undefined> {
    return this.records.memberships.read(group, person);
  }

  isMember(group: string, person: string): boolean {
    return this.directory.store.hasLink('member', group, person);
  }

  /** Ids of orchestrations that have not come to their end. */
  unfinished(): string[] {
    return this.store.instances({}, '', 100_000).flatMap(({ id, status }) => (isFinal(status) ? [] : [id]));
  }

  failures(): string[] {
    return this.store
      .instances({}, '', 100_000)
      .flatMap(({ id, status, output }) => (status === 'Failed' ? [`${id}: ${output ?? ''}`] : []));
  }

  async openRows(): Promise<OpenRow[]> {
    return (await this.records.open.page(100_000, '')).rows;
  }

  async claims(): Promise<string[]> {
    const found: string[] = [];
    for await (const row of this.raw.claims.list("PartitionKey gt ''")) found.push(String(row['requestId']));
    return found;
  }

  async mails(): Promise<MailSeen[]> {
    const seen: MailSeen[] = [];
    const answer = await this.mail.inbox.request('http://localhost/api/messages?limit=1000');
    const { messages } = inboxSchema.parse(await answer.json());
    if (messages.length === 1_000) throw new Error('there are more mails than are read');
    for (const { operationId, recipients, subject, plainText } of messages)
      for (const { address } of recipients) seen.push({ operationId, to: address, subject, text: plainText ?? '' });
    return seen;
  }

  /** Copies and seals what was written, and checks all of it. */
  async audit(): Promise<Finding[]> {
    const records = recordsIn(this.raw, {
      mails: { perMinute: 1, perHour: 1 },
      calls: { app: 1, person: 1, group: 1 },
    });
    const audit = auditCopy(this.rawAudit);
    const told: string[] = [];
    await copyTrails(
      { records, audit },
      () => new Date(),
      (line) => told.push(line),
    );
    await sealDays({ audit }, new Date());
    const { requests, policies, uncopied } = this.raw;
    const { findings } = await verifyAudit(
      { requests, policies, uncopied, audit: this.rawAudit },
      undefined,
      new Date(),
    );
    return [...told.map((why) => ({ row: 'copy', why })), ...findings];
  }

  // ---- how it goes on

  private seed(): void {
    const { store } = this.directory;
    for (const { id, name } of this.options.people)
      store.insert({
        type: 'user',
        properties: {
          ...userDefaults,
          id,
          displayName: name,
          userPrincipalName: `${name}@${tenant.domain}`,
          mail: `${name}@${tenant.domain}`,
        },
      });
    for (const { id, name, owners } of this.options.groups) {
      store.insert({
        type: 'group',
        properties: { ...groupDefaults, id, displayName: name, mailNickname: name },
      });
      for (const owner of owners) store.addLink('owner', id, owner);
    }
  }

  /** What a process of the app holds, as it starts. */
  private process(): Services {
    const gate = this.schedule.gate();
    const tables = tablesOf((name) => gated(name, this.raw[name], gate));
    const credential = { getToken: () => Promise.resolve({ token: 'a.b.c', expiresOnTimestamp: now + 3_600_000 }) };
    const graph = {
      endpoint: config.GRAPH_ENDPOINT,
      scope: config.GRAPH_SCOPE,
      credential,
      strict: true,
      timeoutMs: config.CALL_TIMEOUT,
    };
    const real = graphDirectory(graph);
    const directory: Directory = {
      // what only changes of groups ask is not called by any step of the model
      ...real,
      group: (id) => gate('group', () => real.group(id)),
      isCloudManaged: (id) => gate('isCloudManaged', () => real.isCloudManaged(id)),
      person: (id) => gate('person', () => real.person(id)),
      manager: (id) => gate('manager', () => real.manager(id)),
      owners: (id) => gate('owners', () => real.owners(id)),
      members: (id) => gate('members', () => real.members(id)),
      isMember: (group, person) => gate('isMember', () => real.isMember(group, person)),
      memberOf: (person, groups) => gate('memberOf', () => real.memberOf(person, groups)),
      addMember: (group, person) =>
        gate('addMember', async () => {
          const result = await real.addMember(group, person);
          this.memberCalls.push({ kind: 'add', group, person, result });
          return result;
        }),
      removeMember: (group, person) =>
        gate('removeMember', async () => {
          const result = await real.removeMember(group, person);
          this.memberCalls.push({ kind: 'remove', group, person, result });
          return result;
        }),
    };
    const services: Services = {
      config,
      credential,
      directory,
      // no door that the model calls asks for reports
      groups: groupListing(graph),
      lookup: objectLookup(graph),
      mailer: this.mailer(gate),
      records: recordsIn(tables, {
        mails: { perMinute: config.MAIL_PER_MINUTE, perHour: config.MAIL_PER_HOUR },
        calls: { app: config.LIMIT_PER_APP, person: config.LIMIT_PER_PERSON, group: config.LIMIT_PER_GROUP },
      }),
      audit: auditCopy(this.rawAudit),
      tokens: (token) => Promise.resolve(callerSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()))),
    };
    appProcess.services = services;
    appProcess.instances = this.instances(gate);
    return services;
  }

  /** The local mail service, asked as `acsMailer` asks it. */
  private mailer(gate: Gate): Mailer {
    const headers = { authorization: 'Bearer a.b.c', 'content-type': 'application/json' };
    const query = 'api-version=2025-09-01';
    const ask = (operationId: string): Promise<Response> =>
      gate('ask for mail', async () =>
        this.mail.acs.request(`https://mail.model.test/emails/operations/${operationId}?${query}`, { headers }),
      );
    return {
      has: async ({ operationId }) => (await ask(operationId)).status === 200,
      send: async (mail, { asked }) => {
        if (asked) {
          const answer = await ask(mail.operationId);
          if (answer.status === 200) return { kind: 'accepted' };
        }
        const answer = await gate('send mail', async () =>
          this.mail.acs.request(`https://mail.model.test/emails:send?${query}`, {
            method: 'POST',
            headers: { ...headers, 'operation-id': mail.operationId },
            body: JSON.stringify({
              senderAddress: config.MAIL_SENDER,
              content: { subject: mail.subject, html: mail.html, plainText: mail.text },
              recipients: { to: [{ address: mail.to.address, displayName: mail.to.name }] },
              headers: { References: mail.references },
            }),
          }),
        );
        const text = await answer.text();
        if (answer.status === 409 && (await ask(mail.operationId)).status === 200) return { kind: 'accepted' };
        if (answer.status !== 202)
          throw new MailUnavailable(`the mail service answered ${String(answer.status)} ${text}`);
        accepted.parse(JSON.parse(text));
        return { kind: 'accepted' };
      },
    };
  }

  /** The durable client, on the local host's store. */
  private instances(gate: Gate): Instances {
    const { store } = this;
    return {
      start: (name, instanceId, input) =>
        gate('start orchestration', () => {
          this.changed();
          const present = store.instance(instanceId);
          if (present !== undefined && !isFinal(present.status)) return Promise.resolve(false);
          store.transaction(() => {
            create(store, { instanceId, name, version: '1.0', input: JSON.stringify(input), parent: null, now });
          });
          return Promise.resolve(true);
        }),
      raise: (instanceId, event) =>
        gate('raise event', () => {
          this.changed();
          const present = store.instance(instanceId);
          if (present === undefined) return Promise.resolve(false);
          for (let times = this.duplicates ? 2 : 1; times > 0 && !isFinal(present.status); times -= 1)
            store.send({ instanceId, executionId: undefined, event: events.eventRaised(now, event, '{}') });
          return Promise.resolve(true);
        }),
      // histories are purged by a timer that no run waits for
      purge: () => Promise.resolve(0),
      status: (instanceId) =>
        gate('status of orchestration', () => {
          const present = store.instance(instanceId);
          return Promise.resolve(
            present && {
              runtimeStatus: present.status,
              customStatus: present.customStatus === null ? null : (JSON.parse(present.customStatus) as unknown),
            },
          );
        }),
    };
  }

  /** Turns of orchestrations and activities that could start now. */
  private ready(): (() => Promise<void>)[] {
    this.fireTimers();
    if (this.startable !== undefined) return this.startable;
    const turns = this.store.instancesWithMessages().map((id) => async () => {
      this.changed();
      await runEpisode(this.episodes, id);
    });
    const activities = this.store
      .activitiesAfter(0, 1_000)
      .filter(({ seq }) => !this.running.has(seq))
      .map((activity) => () => {
        this.begin(activity);
        return Promise.resolve();
      });
    this.startable = [...turns, ...activities];
    return this.startable;
  }

  /** What could start, and when something comes due, is to be looked up again. */
  private changed(): void {
    this.startable = undefined;
    this.due = undefined;
  }

  private begin(activity: ScheduledActivity): void {
    this.changed();
    const { seq, name, instanceId, executionId, taskId } = activity;
    const { present: services } = this;
    const gate = this.schedule.gate();
    this.running.add(seq);
    const input = stepSchema.parse(JSON.parse(activity.input ?? '{}'));
    const once = async (): Promise<HistoryEvent> => {
      const work = ACTIVITIES[name];
      if (work === undefined) throw new Error(`there is no activity ${name}`);
      this.onActivity(name, input.requestId);
      try {
        return events.taskCompleted(now, taskId, JSON.stringify(await work(services, input)));
      } catch (error) {
        const { reason, details } = activityFailure(name, error);
        return events.taskFailed(now, taskId, reason, details);
      }
    };
    // delivered a second time: what it gives then goes nowhere
    if (this.duplicates) this.schedule.start(once);
    this.schedule.start(async () => {
      const event = await once();
      // the result is a message as well, which a kill may keep from being sent
      await gate('result of activity', () => {
        this.changed();
        this.running.delete(seq);
        this.store.transaction(() => {
          this.store.removeActivity(seq);
          const instance = this.store.instance(instanceId);
          if (!instance || instance.executionId !== executionId || isFinal(instance.status)) return;
          this.store.send({ instanceId, executionId, event });
        });
        return Promise.resolve();
      });
    });
  }

  private reach(at: number): void {
    now = Math.max(now, at);
    this.fireTimers();
    if (at % MINUTE === 0) this.sweep();
  }

  private fireTimers(): void {
    const { store } = this;
    this.due ??= store.nextDue() ?? Infinity;
    if (this.due > now) return;
    this.changed();
    store.transaction(() => {
      for (const { seq, instanceId, executionId, taskId, due } of store.dueTimers(now, 1_000)) {
        store.removeTimer(seq);
        store.send({ instanceId, executionId, event: events.timerFired(now, taskId, due) });
      }
    });
  }

  private sweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    const { present: services } = this;
    const durable = appProcess.instances;
    if (durable === undefined) return;
    const workflows = {
      join: joinWorkflows(durable),
      grant: grantWorkflows(durable),
      change: changeWorkflows(durable),
      life: lifeWorkflows(durable),
      care: careWorkflows(durable),
    };
    const at = new Date();
    this.schedule.start(async () => {
      try {
        await sweep(services, workflows, at, () => undefined);
      } finally {
        this.sweeping = false;
      }
    });
  }

  /** The next timer that fires, or the next sweep that finds something. */
  private async nextStep(): Promise<{ at: number; key: string } | undefined> {
    const timer = this.store.nextDue();
    const found = (await this.records.open.page(100, '')).rows
      .map(({ due, kind, requestId }) => ({
        key: `${due}_${kind}_${requestId}`,
        at: new Date(due).getTime() + (kind === 'join' ? MINUTE : 0),
      }))
      .map(({ key, at }) => ({ key, at: (Math.floor(Math.max(at, now) / MINUTE) + 1) * MINUTE }));
    const first = found.sort((one, other) => one.at - other.at)[0];
    if (timer !== undefined && (first === undefined || timer <= first.at)) return { at: timer, key: '' };
    return first;
  }
}

const stepSchema = z.object({ requestId: z.string(), at: z.string(), attempt: z.number() });
type Gate = <T>(name: string, work: () => Promise<T>) => Promise<T>;

function gated(name: string, table: Table, gate: Gate): Table {
  return {
    get: (partitionKey, rowKey) => gate(`${name}.get`, () => table.get(partitionKey, rowKey)),
    create: (row) => gate(`${name}.create`, () => table.create(row)),
    put: (row) => gate(`${name}.put`, () => table.put(row)),
    replace: (row, etag) => gate(`${name}.replace`, () => table.replace(row, etag)),
    delete: (partitionKey, rowKey, etag) => gate(`${name}.delete`, () => table.delete(partitionKey, rowKey, etag)),
    transact: (actions) => gate(`${name}.transact`, () => table.transact(actions)),
    list: async function* (filter, pageSize) {
      const rows = await gate(`${name}.list`, async () => {
        const found = [];
        for await (const row of table.list(filter, pageSize)) found.push(row);
        return found;
      });
      yield* rows;
    },
  };
}

/** The id of a request that was filed under this key, as the app derives it. */
export const idOfFiling = (caller: ActingCaller, groupId: string, key: string): string =>
  createHash('sha256')
    .update(JSON.stringify([caller.kind, caller.id, groupId, key]))
    .digest('hex')
    .slice(0, 32);
