import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem, mailsTo } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import type { StackOptions } from '../../local/stack/stack';
import { openHouse, watched } from './house';
import type { House } from './house';

/** What the status document of a group change says. */
export interface Change {
  id: string;
  kind: string;
  state: string;
  group?: { id: string; name: string };
  askedAt: string;
  /** When the next step is due. */
  nextStepAt?: string;
  waitingFor: { what: string } | null;
  why?: { rule: string; sentence: string };
  approvers?: { id: string; name: string }[];
  decision?: { by: { id: string }; choice: string; comment?: string };
  timeline: { event: string; by: { kind: string; id: string } }[];
}

/** Permissions on Graph with which own groups are on. */
export const OWN_GROUPS = [
  'GroupMember.ReadWrite.All',
  'User.Read.All',
  'Group.ReadWrite.All',
  'GroupSettings.Read.All',
];

/** A stack where people may have groups of their own, and what tests of these do with it. */
export interface GroupsHouse extends House {
  as(person: PersonAlias): Promise<SystemActor>;
  operations: SystemActor;
  change(...changes: unknown[]): Promise<void>;
  create(person: PersonAlias, wish: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  /** Asks for a change of a group. */
  manage(person: PersonAlias, groupId: string, body: Record<string, unknown>): Promise<Answer>;
  changeStatus(id: string): Promise<Change>;
  untilChange(id: string, wanted: (change: Change) => boolean, ms?: number): Promise<Change>;
  /** The change once everyone concerned was told, or once it failed and waits for operations. */
  settled(answer: Answer): Promise<Change>;
  /** Waits until a step could not be taken because the directory does not answer. */
  untilPostponed(id: string): Promise<Change>;
  ownersOf(groupId: string): Promise<string[]>;
  /** Ids of the groups of exactly this name, as the directory has them. */
  named(displayName: string): Promise<string[]>;
  /** Subjects of the mails to the person about the change. */
  mailsAbout(id: string, person: PersonAlias): Promise<string[]>;
  setDirectory(settings: Record<string, unknown>): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export const wish = (displayName: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  kind: 'security',
  displayName,
  purpose: 'We work on it together.',
  ...more,
});

export async function openGroupsHouse(options: StackOptions = {}, permissions = OWN_GROUPS): Promise<GroupsHouse> {
  const house = await openHouse(options);
  const { urls } = house.stack;
  const put = async (address: string, method: string, body: unknown): Promise<void> => {
    const answer = await fetch(address, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  // before the app asks for its first token
  await put(`${urls.entra}/admin/graph-permissions`, 'PUT', permissions);
  const operations = await asSystem(urls, 'opsTool');
  const actors = new Map<PersonAlias, Promise<SystemActor>>();
  const as = (person: PersonAlias): Promise<SystemActor> => {
    const actor = actors.get(person) ?? asPersonWithToken(urls, person);
    actors.set(person, actor);
    return actor;
  };

  const changeStatus: GroupsHouse['changeStatus'] = async (id) => {
    // a host that is being restarted refuses connections, and the front door says so
    for (let left = 200; ; left -= 1) {
      const { status, json } = await operations.call('GET', `/api/group-changes/${id}`);
      if (status === 200) return json as Change;
      if (left === 0) throw new Error(`status of ${id}: ${String(status)} ${JSON.stringify(json)}`);
      await pause(50);
    }
  };
  const untilChange: GroupsHouse['untilChange'] = watched(house.stack, 'c', changeStatus);
  const listed = async (path: string): Promise<{ id: string; displayName: string }[]> => {
    const answer = await fetch(`${urls.directory}/admin/${path}`);
    return (await answer.json()) as { id: string; displayName: string }[];
  };
  return {
    ...house,
    as,
    operations,
    create: async (person, body, headers) => (await as(person)).call('POST', '/api/groups', body, headers),
    manage: async (person, groupId, body) => (await as(person)).call('POST', `/api/groups/${groupId}/changes`, body),
    changeStatus,
    untilChange,
    settled: ({ status, json, text }) => {
      if (status !== 202) throw new Error(`not filed: ${String(status)} ${text}`);
      return untilChange(
        (json as Change).id,
        ({ state, timeline, waitingFor }) =>
          timeline.some(({ event }) => event === 'outcome-told') ||
          (state === 'failed' && waitingFor?.what === 'operations'),
      );
    },
    untilPostponed: (id) =>
      untilChange(
        id,
        ({ waitingFor, askedAt, nextStepAt }) =>
          waitingFor?.what === 'directory' && nextStepAt !== undefined && nextStepAt > askedAt,
      ),
    ownersOf: async (groupId) => (await listed(`groups/${groupId}/owners`)).map(({ id }) => id).toSorted(),
    named: async (displayName) =>
      (await listed(`groups?displayName=${encodeURIComponent(displayName)}`)).map(({ id }) => id),
    mailsAbout: async (id, person) =>
      (await mailsTo(urls, person)).filter((mail) => (mail.plainText ?? '').includes(id)).map(({ subject }) => subject),
    setDirectory: (settings) => put(`${urls.directory}/admin/settings`, 'PUT', settings),
  };
}

export const idsOf = (...aliases: PersonAlias[]): string[] => aliases.map((alias) => people[alias].id).toSorted();
