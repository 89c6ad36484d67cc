import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { hiddenField, mailsTo, mailsToAddress, signIn } from '../../local/stack/actors';
import type { Answer, InboxMail } from '../../local/stack/actors';
import type { StackOptions } from '../../local/stack/stack';
import { openGroupsHouse, wish } from './own-groups-house';
import type { GroupsHouse } from './own-groups-house';

/** What the API says of a group's life. */
export interface Lifetime {
  state: string;
  from: string;
  expiresAt?: string;
  warnedAt?: string;
  expiredAt?: string;
  afterwards?: string;
  afterwardsAt?: string;
  renewable: boolean;
}

export const DAY = 86_400_000;
export const FALLBACK = 'groups@contoso.example';

/** A stack whose groups expire, and what tests of that do with it. */
export interface LivesHouse extends GroupsHouse {
  /** Writes the creation policy. */
  rules(policy: Record<string, unknown>): Promise<Answer>;
  /** A group that the person creates with mona as second owner; gives its id. */
  born(person: PersonAlias, name: string, more?: Record<string, unknown>): Promise<string>;
  life(groupId: string, person?: PersonAlias): Promise<Lifetime>;
  /** Waits until the life is as wanted; the clock runs on meanwhile, because the sweeper comes once a minute. */
  untilLife(groupId: string, wanted: (life: Lifetime) => boolean): Promise<Lifetime>;
  /** Sets the clock to so many days after the group's life began, and waits until the life is as wanted. */
  at(groupId: string, days: number, wanted: (life: Lifetime) => boolean): Promise<Lifetime>;
  /** Mails to the person about the group's life, oldest first. */
  lifeLetters(groupId: string, person: PersonAlias | 'fallback'): Promise<InboxMail[]>;
  /** Their subjects. */
  lifeMails(groupId: string, person: PersonAlias | 'fallback'): Promise<string[]>;
  /** Waits until there are so many of them. */
  untilMails(groupId: string, person: PersonAlias | 'fallback', count: number): Promise<string[]>;
  /** Opens the link of the person's latest mail about the group, signed in as `as`; confirms where `confirm` is said. */
  followLink(groupId: string, person: PersonAlias, options?: { as?: PersonAlias; confirm?: boolean }): Promise<Answer>;
  renew(person: PersonAlias, groupId: string, body?: Record<string, unknown>): Promise<Answer>;
  isThere(groupId: string): Promise<boolean>;
  /** Entries of this event in the group's own trail, once there are so many; the clock runs on until they are copied. */
  untilTrail(groupId: string, event: string, count?: number): Promise<TrailEntry[]>;
  /** Groups whose life waits for operations. */
  waiting(): Promise<{ id: string; why?: { rule: string } }[]>;
  untilWaiting(groupId: string): Promise<string>;
}

export interface TrailEntry {
  event: string;
  at: string;
  by: { kind: string; id: string };
  data?: Record<string, unknown>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export async function openLivesHouse(options: StackOptions = {}, permissions?: string[]): Promise<LivesHouse> {
  const house = await openGroupsHouse(options, permissions);
  const { urls, clock } = house.stack;
  const mailsAbout = async (groupId: string, person: PersonAlias | 'fallback'): Promise<InboxMail[]> =>
    (await (person === 'fallback' ? mailsToAddress(urls, FALLBACK) : mailsTo(urls, person))).filter((mail) =>
      (mail.plainText ?? '').includes(`Group: ${groupId}`),
    );
  const life: LivesHouse['life'] = async (groupId, person = 'adele') => {
    // a host that is being restarted refuses connections, and one that is killed cuts its answers short
    for (let left = 200; ; left -= 1) {
      const answer = await (await house.as(person)).call('GET', `/api/groups/${groupId}`).catch(() => undefined);
      if (answer?.status === 200) return (answer.json as { lifetime: Lifetime }).lifetime;
      if (left === 0) throw new Error(`the life of ${groupId}: ${String(answer?.status)} ${answer?.text ?? ''}`);
      await pause(50);
    }
  };
  const until = async <Seen>(look: () => Promise<Seen>, wanted: (seen: Seen) => boolean): Promise<Seen> => {
    for (const end = performance.now() + 40_000; ;) {
      const seen = await look();
      if (wanted(seen)) return seen;
      if (performance.now() > end) {
        const told = house.stack.logs('host').slice(-40).join('\n');
        throw new Error(`this did not come to be: ${JSON.stringify(seen, null, 1)}\n${told}`);
      }
      clock.advance(10_000);
      await pause(25);
    }
  };
  const untilLife: LivesHouse['untilLife'] = (groupId, wanted) => until(() => life(groupId), wanted);
  const waiting: LivesHouse['waiting'] = async () => {
    const { json } = await house.operations.call('GET', '/api/ops/group-lives');
    return (json as { value: { id: string; why?: { rule: string } }[] }).value;
  };
  const lifeMails: LivesHouse['lifeMails'] = async (groupId, person) =>
    (await mailsAbout(groupId, person)).map(({ subject }) => subject);

  return {
    ...house,
    lifeLetters: mailsAbout,
    rules: async (policy) => {
      const adele = await house.as('adele');
      const etag = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
      return adele.call('PUT', '/api/policies/creation', policy, { 'if-match': etag });
    },
    born: async (person, name, more = {}) => {
      const change = await house.settled(await house.create(person, wish(name, { owners: [people.mona.id], ...more })));
      if (change.group === undefined) throw new Error(`no group: ${JSON.stringify(change)}`);
      return change.group.id;
    },
    life,
    untilLife,
    at: async (groupId, days, wanted) => {
      const { from } = await life(groupId);
      clock.set(new Date(new Date(from).getTime() + days * DAY));
      return untilLife(groupId, wanted);
    },
    lifeMails,
    untilMails: (groupId, person, count) =>
      until(
        () => lifeMails(groupId, person),
        (mails) => mails.length >= count,
      ),
    followLink: async (groupId, person, { as = person, confirm = false } = {}) => {
      const mail = (await mailsAbout(groupId, person)).at(-1);
      const link = /https?:\/\/\S+\/api\/group-renewals\/[0-9a-f-]{36}/.exec(mail?.plainText ?? '')?.[0];
      if (link === undefined) throw new Error(`the mail to ${person} has no link: ${mail?.plainText ?? 'no mail'}`);
      const { browser, page } = await signIn(urls, as, new URL(link).pathname);
      if (!confirm) return page;
      return browser.post(new URL(link).pathname, { token: hiddenField(page.text, 'token') });
    },
    renew: async (person, groupId, body = {}) =>
      (await house.as(person)).call('POST', `/api/groups/${groupId}/renew`, body),
    untilTrail: (groupId, event, count = 1) =>
      until(
        async () => {
          const aude = await house.as('aude');
          // a page of the search covers so many days
          const from = new Date(clock.now().getTime() - 60 * DAY).toISOString();
          const query = `group=${groupId}&from=${from}&event=${event}`;
          const answer = await aude.call('GET', `/api/audit?${query}`).catch(() => undefined);
          return answer?.status === 200 ? (answer.json as { value: TrailEntry[] }).value : [];
        },
        (entries) => entries.length >= count,
      ),
    waiting,
    untilWaiting: async (groupId) => {
      const found = await until(waiting, (all) => all.some(({ id }) => id === groupId));
      return found.find(({ id }) => id === groupId)?.why?.rule ?? '';
    },
    isThere: async (groupId) => (await fetch(`${urls.directory}/admin/groups/${groupId}/owners`)).ok,
  };
}
