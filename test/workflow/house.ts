import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { RecordedCall } from '../../local/faults';
import { groups, people } from '../../local/demo-tenant';
import type { GroupAlias, PersonAlias } from '../../local/demo-tenant';
import {
  asSystem,
  changeDirectory,
  hiddenField,
  linkIn,
  mailsTo,
  membersOf,
  mintToken,
  signIn,
} from '../../local/stack/actors';
import type { Answer, InboxMail, SystemActor } from '../../local/stack/actors';
import { startStack } from '../../local/stack/stack';
import type { Stack, StackOptions } from '../../local/stack/stack';
import { tableClient } from '../http/stack/tools';
import { ROLES } from '../../shared/web/tokens';
import { durableRowsKept, found, hearAnswers, mailsSent, rowsKept, secretsOf } from './said';
import type { Said } from './said';

export interface Status {
  id: string;
  state: string;
  group: { id: string; name: string };
  reason?: { rule: string; sentence: string };
  waitingFor: { what: string } | null;
  stage?: { number: number; of: number; required: number; approvals: number };
  approvers?: { id: string; name: string }[];
  membership?: { from: string; until?: string; ended?: { how: string; removed: boolean; reason?: string } };
  timeline: { event: string; at: string; text: string; by: { kind: string; id: string } }[];
}

/** What the app calls, with a place where calls can be made to go wrong: tables and the durable engine only in a house with wires. */
export const SERVICES = ['tables', 'directory', 'mail', 'durable'] as const;
export type Service = (typeof SERVICES)[number];

/** A stack with the app, and what tests do with it. */
export interface House {
  stack: Stack;
  system: SystemActor;
  /** A group of these owners and members, past Gatehouse; gives its id. */
  newGroup(owners: PersonAlias[], members?: PersonAlias[]): Promise<string>;
  /** Files for a group of the demo tenant, or one of its own by id. */
  file(
    group: GroupAlias | (string & {}),
    person: PersonAlias,
    more?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Files and gives the id. */
  filed(group: GroupAlias | (string & {}), person: PersonAlias, more?: Record<string, unknown>): Promise<string>;
  status(id: string): Promise<Status>;
  /** Reads the status until it is as wanted; the stack works on its own, at its own speed. */
  until(id: string, wanted: (status: Status) => boolean | Promise<boolean>, ms?: number): Promise<Status>;
  /** The same while the clock runs on, ten seconds at a time: the sweeper comes once a minute. */
  untilSwept(id: string, wanted: (status: Status) => boolean, ms?: number): Promise<Status>;
  untilTold(id: string): Promise<Status>;
  /**
   * Waits until the grant, whose time is over, has ended. The clock runs on meanwhile: the sweeper comes once a minute, and one that was
   * at work when the time jumped comes a minute later.
   */
  untilEnded(id: string): Promise<Status>;
  /** Waits until the orchestration of an open request sleeps in this state: a jump of the clock then passes what it waits for. */
  untilAsleep(id: string, state: string): Promise<void>;
  /** The mails that ask this person about the request. */
  asked(id: string, person: PersonAlias): Promise<string[]>;
  /** The person signs in, opens the link of the mail about this request, and confirms. */
  decide(id: string, person: PersonAlias, choice: 'approve' | 'deny'): Promise<Answer>;
  /** Tells the app, as Event Grid does, that this mail did not arrive. */
  reportBounce(mail: Pick<InboxMail, 'operationId'>, recipient: string): Promise<void>;
  /** Those of these instances that have not come to their end, as the engine has them. */
  running(instanceIds: string[]): Promise<string[]>;
  /** Ends an orchestration as somebody with the host's key could, past Gatehouse. */
  terminate(instanceId: string): Promise<void>;
  isMember(group: GroupAlias | (string & {}), person: PersonAlias): Promise<boolean>;
  change(...changes: unknown[]): Promise<void>;
  fault(service: Service, rule: unknown): Promise<void>;
  /** How often the faults of the service came over calls. */
  hits(service: Service): Promise<number>;
  /** The calls that the service was made, since the last `clearFaults`. */
  calls(service: Service): Promise<RecordedCall[]>;
  /**
   * Waits until the service was asked so, at least so many times since the last `clearFaults`, and answered with this status; the clock
   * runs on meanwhile. Gives how many times it was.
   */
  untilAnswered(
    service: 'directory' | 'mail',
    call: { method: string; path: RegExp; status: number; body?: RegExp },
    times?: number,
  ): Promise<number>;
  /** Lets all calls of the service pass again; what is late stays so. */
  liftFaults(service: Service): Promise<void>;
  /** Also forgets the calls so far. */
  clearFaults(): Promise<void>;
  /** Keeps something said in this house that its tests did not hear with `fetch`, a page in a browser say, for the question of `stop`. */
  hear(said: Said): void;
  /** Rejects where an answer, a line of the host's log, a mail or a row of this house holds a key, a management address or a token. */
  stop(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** The timers of the app that a suite may do without. */
type Timer = 'auditCopy' | 'auditSeal' | 'nightly' | 'housekeeping';

/** Settings that switch these timers off. */
export const withoutTimers = (...names: Timer[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`AzureWebJobs.${name}.Disabled`, 'true']));

/**
 * For a suite that is not about the nights: its clock jumps by days, and each of them would bring copies and a seal of the audit, a walk over
 * all rows, and a purge.
 */
export const QUIET_NIGHTS = withoutTimers('auditCopy', 'auditSeal', 'nightly', 'housekeeping');

/** What does not stand in the row that is looked at, as who owns the group, is asked for again after so many looks. */
const LOOKS = 8;

/**
 * Asks for how something stands until it is as wanted. The app is asked where the row changed, which is looked at past the app: an answer of
 * the app costs six times as much, and what is waited for needs that time.
 * @param prefix of the partition that the row is in
 */
export function watched<Standing>(
  stack: Stack,
  prefix: string,
  read: (id: string) => Promise<Standing>,
): (id: string, wanted: (standing: Standing) => boolean | Promise<boolean>, ms?: number) => Promise<Standing> {
  let rows = tableClient(stack, 'requests');
  const etagOf = async (id: string): Promise<string | undefined> => {
    try {
      const select = ['PartitionKey'];
      return (await rows.getEntity(`${prefix}_${id}`, 'state', { queryOptions: { select } })).etag;
    } catch {
      // the token ran out, as the clock was moved, or there is no such row
      rows = tableClient(stack, 'requests');
      return undefined;
    }
  };
  return async (id, wanted, ms = 25_000) => {
    let seen = await etagOf(id);
    let now = await read(id);
    for (let [looks, end] = [1, performance.now() + ms]; ; looks += 1) {
      if (await wanted(now)) return now;
      if (performance.now() > end) throw new Error(`this did not come to be: ${JSON.stringify(now, null, 1)}`);
      await pause(25);
      const etag = await etagOf(id);
      if (etag !== undefined && etag === seen && looks % LOOKS !== 0) continue;
      seen = etag;
      now = await read(id);
    }
  };
}

export async function openHouse(options: StackOptions = {}): Promise<House> {
  // groups without anybody who decides are refused here; the stack that people start has fallback approvers. Owners of the demo tenant's
  // groups are not asked at night for a second one: that would be mail that no test waits for
  // timers come at their time of day, nights among them: what a test sees may not depend on when it runs
  const lines: string[] = [];
  const stack = await startStack({
    timeOfDay: '09:00',
    ...options,
    onLog: (part, line) => {
      if (part === 'host') lines.push(line);
      options.onLog?.(part, line);
    },
    env: { DEFAULT_POLICY: '{"optedIn":true,"ownerCare":false}', ...options.env },
  });
  const { urls } = stack;
  const secrets = secretsOf(stack);
  const leaks: string[] = [];
  const hear = (said: Said): void => void leaks.push(...found([said], secrets));
  const hearNoMore = hearAnswers(urls, hear);
  const system = await asSystem(urls, 'hrPortal');
  const operations = await asSystem(urls, 'opsTool');
  const admin = {
    tables: urls.wireAdmin,
    directory: urls.directory,
    mail: urls.mail,
    durable: urls.durableWireAdmin,
  } satisfies Record<Service, string>;
  const calls: House['calls'] = async (service) =>
    (await (await fetch(`${admin[service]}/admin/calls`)).json()) as RecordedCall[];

  const groupId = (group: string): string => (group in groups ? groups[group as GroupAlias].id : group);
  const file: House['file'] = (group, person, more = {}, headers = {}) =>
    system.call(
      'POST',
      `/api/groups/${groupId(group)}/join-requests`,
      { userId: people[person].id, justification: 'I work with them.', ...more },
      headers,
    );
  const status: House['status'] = async (id) => {
    // a host that is being restarted refuses connections, and the front door says so; one that is killed cuts its answers short
    for (let left = 200; ; left -= 1) {
      const answer = await operations.call('GET', `/api/join-requests/${id}`).catch((error: unknown) => error);
      if (answer instanceof Error) {
        if (left === 0) throw answer;
      } else {
        const { status: code, json } = answer as Answer;
        if (code === 200) return json as Status;
        if (left === 0) throw new Error(`status of ${id}: ${String(code)} ${JSON.stringify(json)}`);
      }
      await pause(50);
    }
  };
  const until: House['until'] = watched(stack, 'r', status);
  const untilSwept: House['untilSwept'] = (id, wanted, ms) =>
    until(
      id,
      (now) => {
        if (wanted(now)) return true;
        stack.clock.advance(10_000);
        return false;
      },
      ms,
    );
  const untilAsleep: House['untilAsleep'] = async (id, state) => {
    for (const end = performance.now() + 25_000; ;) {
      const { json } = await operations.call('GET', '/api/ops/requests?pageSize=100');
      const { value } = json as { value: { id: string; orchestration?: { customStatus?: { state?: string } } }[] };
      if (value.find((request) => request.id === id)?.orchestration?.customStatus?.state === state) return;
      if (performance.now() > end)
        throw new Error(`${id} does not sleep as ${state}: ${JSON.stringify(value, null, 1)}`);
      await pause(25);
    }
  };
  const mailsAsking = async (id: string, person: PersonAlias) =>
    (await mailsTo(urls, person)).filter(
      (mail) => (mail.plainText ?? '').includes(id) && /\/api\/decisions\/\S+choice=approve/.test(mail.plainText ?? ''),
    );

  /** The engine's own API, past Gatehouse. */
  const managed = (instanceId: string, operation = '', method = 'GET'): Promise<Response> => {
    const { system: keys } = JSON.parse(readFileSync(join(stack.state, 'host-keys.json'), 'utf8')) as {
      system: { durabletask_extension: string };
    };
    const url = new URL(`/runtime/webhooks/durabletask/instances/${instanceId}${operation}`, urls.host);
    url.searchParams.set('code', keys.durabletask_extension);
    return fetch(url, { method });
  };

  const change: House['change'] = (...changes) => changeDirectory(urls, ...changes);

  return {
    stack,
    system,
    newGroup: async (owners, members = []) => {
      const id = randomUUID();
      const name = id.slice(0, 8);
      await change({
        type: 'createGroup',
        group: {
          id,
          displayName: `Group ${name}`,
          mailNickname: `group-${name}`,
          owners: owners.map((alias) => people[alias].id),
          members: members.map((alias) => people[alias].id),
        },
      });
      return id;
    },
    file,
    filed: async (group, person, more) => {
      const { status: code, json, text } = await file(group, person, more);
      if (code !== 202) throw new Error(`not filed: ${String(code)} ${text}`);
      return (json as { id: string }).id;
    },
    status,
    until,
    untilAsleep,
    untilSwept,
    untilEnded: (id) => untilSwept(id, ({ state }) => state === 'ended'),
    untilTold: (id) => until(id, ({ timeline }) => timeline.some(({ event }) => event === 'outcome-told')),
    asked: async (id, person) => (await mailsAsking(id, person)).map(({ subject }) => subject),
    decide: async (id, person, choice) => {
      const [mail] = await mailsAsking(id, person);
      if (mail === undefined) throw new Error(`${person} was not asked about ${id}`);
      const link = linkIn(mail);
      const { browser, page } = await signIn(urls, person, new URL(link).pathname);
      if (!page.text.includes('name="token"')) return page;
      return browser.post(link, { decision: choice, comment: '', token: hiddenField(page.text, 'token') });
    },
    reportBounce: async ({ operationId }, recipient) => {
      const token = await mintToken(urls, { app: 'noRoles', claims: { roles: [ROLES.mailEvents] } });
      const answer = await fetch(new URL('/api/hooks/mail-delivery', urls.frontDoor), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify([
          {
            id: randomUUID(),
            eventType: 'Microsoft.Communication.EmailDeliveryReportReceived',
            subject: 'sender/gatehouse@contoso.example/message/x',
            dataVersion: '1.0',
            eventTime: stack.clock.now().toISOString(),
            data: { sender: 'gatehouse@contoso.example', recipient, messageId: operationId, status: 'Bounced' },
          },
        ]),
      });
      if (answer.status !== 200) throw new Error(`not taken: ${String(answer.status)} ${await answer.text()}`);
    },
    running: async (instanceIds) => {
      // the engine answers 202 for an instance that goes on
      const answers = await Promise.all(instanceIds.map((id) => managed(id)));
      return instanceIds.filter((_, index) => answers[index]?.status === 202);
    },
    terminate: async (instanceId) => {
      const answer = await managed(instanceId, '/terminate?reason=lost', 'POST');
      if (answer.status !== 202) throw new Error(`not terminated: ${String(answer.status)} ${await answer.text()}`);
    },
    isMember: async (group, person) => (await membersOf(urls, groupId(group))).includes(people[person].id),
    change,
    fault: async (service, rule) => {
      const answer = await fetch(`${admin[service]}/admin/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rule),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    hits: async (service) => {
      const rules = (await (await fetch(`${admin[service]}/admin/faults`)).json()) as { hits: number }[];
      return rules.reduce((sum, { hits }) => sum + hits, 0);
    },
    calls,
    untilAnswered: async (service, { method, path, status: code, body = /^/ }, times = 1) => {
      for (const end = performance.now() + 40_000; ;) {
        const made = await calls(service);
        const like = made.filter(
          (call) => call.method === method && path.test(call.path) && call.status === code && body.test(call.body),
        );
        if (like.length >= times) return like.length;
        stack.clock.advance(10_000);
        if (performance.now() > end) throw new Error(`${service} was not asked so: ${JSON.stringify(made.slice(-20))}`);
        await pause(25);
      }
    },
    liftFaults: async (service) => {
      await fetch(`${admin[service]}/admin/faults`, { method: 'DELETE' });
    },
    clearFaults: async () => {
      for (const [service, url] of Object.entries(admin)) {
        if ((service === 'tables' || service === 'durable') && options.wires !== true) continue;
        await fetch(`${url}/admin/faults`, { method: 'DELETE' });
        await fetch(`${url}/admin/calls`, { method: 'DELETE' });
      }
    },
    hear,
    stop: async () => {
      const { pids } = stack;
      for (const line of lines) hear({ where: "the host's log", text: line });
      for (const said of durableRowsKept(stack)) hear(said);
      if (pids.services !== undefined && pids.azurite !== undefined)
        for (const said of await rowsKept(stack)) hear(said);
      if ((options.separate === true ? pids.mail : pids.services) !== undefined)
        for (const said of await mailsSent(urls)) hear(said);
      await stack.stop();
      await hearNoMore();
      if (leaks.length > 0) throw new Error(`secrets got out:\n${leaks.join('\n')}`);
    },
  };
}
