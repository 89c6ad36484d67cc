import { randomUUID } from 'node:crypto';

import { people } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem, mailsToAddress, membersOf } from '../../local/stack/actors';
import type { SystemActor } from '../../local/stack/actors';
import { openHouse, QUIET_NIGHTS } from './house';
import type { House } from './house';

/**
 * Whatever changes between the decision and the write is seen before the write: the request ends in a state of its own, says why in a
 * sentence, and its requester gets that sentence by mail. Nobody becomes a member who may not.
 */
let house: House;
let admin: SystemActor;

beforeAll(async () => {
  house = await openHouse({ env: QUIET_NIGHTS });
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

interface Waiting {
  id: string;
  group: string;
  person: string;
}

/** A request that Olivia approved and that can't be applied yet, because Graph does not answer what is asked before the write. */
async function approvedAndHeld(): Promise<Waiting> {
  const [group, person] = [randomUUID(), randomUUID()];
  const alias = `held-${person.slice(0, 8)}`;
  await house.change(
    {
      type: 'createGroup',
      group: {
        id: group,
        displayName: `Group ${alias}`,
        mailNickname: alias,
        owners: [people.olivia.id, people.omar.id],
      },
    },
    {
      type: 'createUser',
      user: {
        id: person,
        displayName: `Person ${alias}`,
        userPrincipalName: `${alias}@contoso.example`,
        mail: `${alias}@contoso.example`,
      },
    },
  );
  const filed = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
    userId: person,
    justification: 'I work with them.',
  });
  const { id } = filed.json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await house.fault('directory', { method: 'POST', path: 'checkMemberGroups', fault: { kind: 'answer', status: 503 } });
  const olivia = await asPersonWithToken(house.stack.urls, 'olivia');
  expect((await olivia.call('POST', `/api/join-requests/${id}/decision`, { decision: 'approve' })).status).toBe(200);
  await house.untilAsleep(id, 'approved');
  return { id, group, person };
}

/** Lets Graph answer again, and the next attempt come. */
async function released({ id }: Waiting) {
  await house.clearFaults();
  return house.until(id, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return timeline.some(({ event }) => event === 'outcome-told');
  });
}

const mailsAbout = async (id: string, person: string): Promise<string[]> => {
  const mails = await mailsToAddress(house.stack.urls, `held-${person.slice(0, 8)}@contoso.example`);
  return mails.map(({ plainText }) => plainText ?? '').filter((text) => text.includes(id));
};

/** Another group's policy becomes this one. */
async function namesInPolicy(policy: Record<string, unknown>): Promise<void> {
  const other = await house.newGroup(['olivia']);
  const answer = await admin.call(
    'PUT',
    `/api/groups/${other}/policy`,
    { optedIn: true, ...policy },
    { 'if-match': '"none"' },
  );
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
}

test('the requester left the group whose members may ask, between decision and write', async () => {
  const [may, group] = [await house.newGroup(['olivia'], ['rita']), await house.newGroup(['olivia', 'omar'])];
  const policy = { optedIn: true, whoMayAsk: { membersOf: [may] } };
  const written = await admin.call('PUT', `/api/groups/${group}/policy`, policy, { 'if-match': '"none"' });
  expect([written.status, written.text]).toEqual([200, expect.anything()]);
  const id = await house.filed(group, 'rita');
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await house.fault('directory', { method: 'POST', path: 'checkMemberGroups', fault: { kind: 'answer', status: 503 } });
  const olivia = await asPersonWithToken(house.stack.urls, 'olivia');
  await olivia.call('POST', `/api/join-requests/${id}/decision`, { decision: 'approve' });
  await house.untilAsleep(id, 'approved');
  await house.change({ type: 'removeMember', group: may, target: people.rita.id });
  const { state, reason } = await released({ id, group, person: people.rita.id });
  expect([state, reason?.rule]).toEqual(['cancelled', 'requester-not-eligible']);
  expect(await house.isMember(group, 'rita')).toBe(false);
});

const synced = { onPremisesSyncEnabled: true };

test.each<[string, string, (waiting: Waiting) => Promise<unknown>]>([
  [
    'the requester is disabled',
    'requester-disabled',
    ({ person }) => house.change({ type: 'patchUser', id: person, patch: { accountEnabled: false } }),
  ],
  ['the requester is deleted', 'requester-not-found', ({ person }) => house.change({ type: 'deleteUser', id: person })],
  [
    'the requester became a member by another way',
    'already-member',
    ({ group, person }) => house.change({ type: 'addMember', group, target: person }),
  ],
  ['the group is deleted', 'group-not-found', ({ group }) => house.change({ type: 'deleteGroup', id: group })],
  [
    'the group turned dynamic',
    'group-is-dynamic',
    ({ group }) => house.change({ type: 'patchGroup', id: group, patch: { groupTypes: ['DynamicMembership'] } }),
  ],
  [
    'the group is synchronised now',
    'group-is-synchronised',
    ({ group }) => house.change({ type: 'patchGroup', id: group, patch: synced }),
  ],
  [
    'the group is role-assignable',
    'group-is-role-assignable',
    ({ group }) => house.change({ type: 'patchGroup', id: group, patch: { isAssignableToRole: true } }),
  ],
  [
    'the group was opted out',
    'group-not-self-service',
    ({ group }) =>
      admin
        .call('PUT', `/api/groups/${group}/policy`, { optedIn: false }, { 'if-match': '"none"' })
        .then(({ status }) => {
          expect(status).toBe(200);
        }),
  ],
  [
    'the requester became a guest',
    'requester-is-guest',
    ({ person }) => house.change({ type: 'patchUser', id: person, patch: { userType: 'Guest' } }),
  ],
  [
    'a policy names the group, so that its members decide about others',
    'group-is-protected',
    ({ group }) =>
      namesInPolicy({ stages: [{ approvers: [{ kind: 'groupMembers', groupId: group }, { kind: 'owners' }] }] }),
  ],
])('%s between decision and write: %s, with its sentence, told by mail', async (_what, rule, change) => {
  const waiting = await approvedAndHeld();
  const members = await membersOf(house.stack.urls, waiting.group);
  await change(waiting);
  const { state, reason } = await released(waiting);
  expect([state, reason?.rule]).toEqual(['cancelled', rule]);
  expect(reason?.sentence).toMatch(/^[A-Z].*\.$/s);
  const told = await mailsAbout(waiting.id, waiting.person);
  // somebody who is gone or disabled reads no mail
  if (rule === 'requester-not-found') expect(told).toHaveLength(1);
  else expect(told.filter((text) => text.includes(reason?.sentence ?? '?'))).toHaveLength(1);
  if (rule === 'group-not-found') return;
  const now = await membersOf(house.stack.urls, waiting.group);
  expect(now).toEqual(rule === 'already-member' ? [...members, waiting.person] : members);
});

test('the requester became an owner between decision and write: others had decided, so it is granted', async () => {
  const waiting = await approvedAndHeld();
  await house.change({ type: 'addOwner', group: waiting.group, target: waiting.person });
  expect((await released(waiting)).state).toBe('granted');
  expect(await membersOf(house.stack.urls, waiting.group)).toContain(waiting.person);
  expect((await mailsAbout(waiting.id, waiting.person)).some((text) => text.includes('Approved'))).toBe(true);
});
