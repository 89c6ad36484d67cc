import { groups, people } from '../../local/demo-tenant';
import type { GroupAlias, PersonAlias } from '../../local/demo-tenant';
import { asSystem, changeDirectory, hiddenField, linkIn, mailsTo, membersOf, signIn } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { startStack } from '../../local/stack/stack';
import type { Stack, StackOptions } from '../../local/stack/stack';

export interface Status {
  id: string;
  state: string;
  reason?: { rule: string; sentence: string };
  waitingFor: { what: string } | null;
  stage?: { number: number; of: number; required: number; approvals: number };
  approvers?: { id: string; name: string }[];
  membership?: { from: string; until?: string; ended?: { how: string; removed: boolean } };
  timeline: { event: string; at: string; by: { kind: string; id: string } }[];
}

/** A stack with the app, and what tests do with it. */
export interface House {
  stack: Stack;
  system: SystemActor;
  file(
    group: GroupAlias,
    person: PersonAlias,
    more?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Files and gives the id. */
  filed(group: GroupAlias, person: PersonAlias, more?: Record<string, unknown>): Promise<string>;
  status(id: string): Promise<Status>;
  /** Reads the status until it is as wanted; the stack works on its own, at its own speed. */
  until(id: string, wanted: (status: Status) => boolean, ms?: number): Promise<Status>;
  untilTold(id: string): Promise<Status>;
  /** The mails that ask this person about the request. */
  asked(id: string, person: PersonAlias): Promise<string[]>;
  /** The person signs in, opens the link of the mail about this request, and confirms. */
  decide(id: string, person: PersonAlias, choice: 'approve' | 'deny'): Promise<Answer>;
  isMember(group: GroupAlias, person: PersonAlias): Promise<boolean>;
  change(...changes: unknown[]): Promise<void>;
  fault(service: 'tables' | 'directory' | 'mail', rule: unknown): Promise<void>;
  clearFaults(): Promise<void>;
  stop(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export async function openHouse(options: StackOptions = {}): Promise<House> {
  const stack = await startStack(options);
  const { urls } = stack;
  const system = await asSystem(urls, 'hrPortal');
  const admin = { tables: urls.wireAdmin, directory: urls.directory, mail: urls.mail };

  const file: House['file'] = (group, person, more = {}, headers = {}) =>
    system.call(
      'POST',
      `/api/groups/${groups[group].id}/join-requests`,
      { userId: people[person].id, justification: 'I work with them.', ...more },
      headers,
    );
  const status: House['status'] = async (id) => {
    // a host that is being restarted refuses connections, and the front door says so
    for (let left = 200; ; left -= 1) {
      const { status: code, json } = await system.call('GET', `/api/join-requests/${id}`);
      if (code === 200) return json as Status;
      if (left === 0) throw new Error(`status of ${id}: ${String(code)} ${JSON.stringify(json)}`);
      await pause(50);
    }
  };
  const until: House['until'] = async (id, wanted, ms = 25_000) => {
    for (const end = performance.now() + ms; ;) {
      const now = await status(id);
      if (wanted(now)) return now;
      if (performance.now() > end) throw new Error(`this did not come to be: ${JSON.stringify(now, null, 1)}`);
      await pause(25);
    }
  };
  const mailsAsking = async (id: string, person: PersonAlias) =>
    (await mailsTo(urls, person)).filter(
      (mail) => (mail.plainText ?? '').includes(id) && /\/api\/decisions\/\S+choice=approve/.test(mail.plainText ?? ''),
    );

  return {
    stack,
    system,
    file,
    filed: async (group, person, more) => {
      const { status: code, json, text } = await file(group, person, more);
      if (code !== 202) throw new Error(`not filed: ${String(code)} ${text}`);
      return (json as { id: string }).id;
    },
    status,
    until,
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
    isMember: async (group, person) => (await membersOf(urls, groups[group].id)).includes(people[person].id),
    change: (...changes) => changeDirectory(urls, ...changes),
    fault: async (service, rule) => {
      const answer = await fetch(`${admin[service]}/admin/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rule),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    clearFaults: async () => {
      for (const [service, url] of Object.entries(admin))
        if (service !== 'tables' || options.wires === true) await fetch(`${url}/admin/faults`, { method: 'DELETE' });
    },
    stop: () => stack.stop(),
  };
}
