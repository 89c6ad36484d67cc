import { ADMINISTRATOR, GROUPS, nameOf, OPERATIONS, PEOPLE, SYSTEM } from './cast';
import type { ActingCaller } from './callers';
import type { Answer, World } from './world';

/** What people do in a world, for tests that tell one short story each. */
export const [design] = GROUPS;
export const [rita, ravi, , olga, omar, otto] = PEOPLE.map(({ id }) => id) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const operations: ActingCaller = { kind: 'app', id: OPERATIONS, roles: ['Operations.Manage'] };
const system: ActingCaller = { kind: 'app', id: SYSTEM, roles: ['Requests.Submit'] };
const administrator: ActingCaller = { kind: 'app', id: ADMINISTRATOR, roles: ['Policy.Manage'] };
export const as = (id: string): ActingCaller => ({ kind: 'person', id, name: nameOf(id), roles: [], via: 'token' });

/** Begins to file for the group `design`; the id is known once the world has settled. */
export function file(
  world: World,
  userId = rita,
  more: Record<string, unknown> = {},
): { id: () => string; answer: () => Answer | undefined } {
  let answer: Answer | undefined;
  const body = { userId, justification: 'I work with them.', ...more };
  world.call('fileJoinRequest', system, { params: { groupId: design.id }, body }, (given) => (answer = given));
  return { id: () => (answer?.json as { id: string }).id, answer: () => answer };
}

/** Files, and lets everything be done that follows at once. */
export async function filed(world: World, userId?: string, more?: Record<string, unknown>): Promise<string> {
  const { id } = file(world, userId, more);
  await world.settle();
  return id();
}

export const decide = (
  world: World,
  requestId: string,
  by: string,
  ballot: Record<string, unknown> = { decision: 'approve' },
): void => world.call('decideJoinRequest', as(by), { params: { requestId }, body: ballot });

export async function decided(...[world, ...deed]: Parameters<typeof decide>): Promise<void> {
  decide(world, ...deed);
  await world.settle();
}

/** The group gets its first policy. */
export async function policy(world: World, rules: Record<string, unknown>): Promise<void> {
  let answer: Answer | undefined;
  const call = { params: { groupId: design.id }, body: { optedIn: true, ...rules }, headers: { 'if-match': '"none"' } };
  world.call('writeGroupPolicy', administrator, call, (given) => (answer = given));
  await world.settle();
  if (answer?.status !== 200) throw new Error(`the policy was not taken: ${JSON.stringify(answer)}`);
}

/** Mails to a person with such a subject. */
export const mailsTo = async (
  world: World,
  person: string,
  subject: RegExp,
): Promise<{ subject: string; text: string }[]> =>
  (await world.mails()).filter((mail) => mail.to.startsWith(`${nameOf(person)}@`) && subject.test(mail.subject));

export function disable(world: World, person: string): void {
  const { store } = world.directory;
  const user = store.find(person, 'now');
  if (user?.type !== 'user') throw new Error('there is no such person');
  store.replace({ type: 'user', properties: { ...user.properties, accountEnabled: false } });
}
