import { groups, people } from '../../../local/demo-tenant';
import type { Answer } from '../../../local/stack/actors';
import { openGroupsHouse, wish } from '../../workflow/own-groups-house';
import type { GroupsHouse } from '../../workflow/own-groups-house';

/** What the doors of own groups answer: names, owners and rights that are not right, and nothing half made. */
let house: GroupsHouse;

beforeAll(async () => {
  house = await openGroupsHouse({ env: { PROTECTED_GROUPS: 'ADM-*' } });
});
afterAll(() => house.stop());

const errorsOf = ({ json }: Answer): { pointer: string; detail: string }[] =>
  (json as { errors?: { pointer: string; detail: string }[] }).errors ?? [];
const pointersOf = (answer: Answer): string[] => errorsOf(answer).map(({ pointer }) => pointer);
const ruleOf = ({ json }: Answer): string => (json as { type: string }).type.split('/').at(-1) ?? '';

const checkName = async (displayName: string, more: Record<string, unknown> = {}) =>
  (await house.as('rita')).call('POST', '/api/groups/check-name', { kind: 'security', displayName, ...more });

describe('names', () => {
  test.each([
    ['only spaces', '   '],
    ['an emoji alone', '🎉🎉'],
    ['a right-to-left mark', 'Sales\u200f Team'],
    ['a right-to-left override', 'Sales \u202eTeam'],
    ['1,000 characters', 'x'.repeat(1_000)],
    ['a line break', 'Sales\nTeam'],
    ['half a character', 'Sales \ud800'],
    ['nothing but half a character', '\ud800'],
    ['a reserved name in other letters', 'Аdmіnіstrаtоrs'],
    ['the name of another group', 'design studio'],
  ])('%s are refused with what to do, and nothing is made', async (_what, displayName) => {
    const answer = await house.create('rita', wish(displayName));
    expect([answer.status, new Set(pointersOf(answer))]).toEqual([400, new Set(['/displayName'])]);
    expect(errorsOf(answer).every(({ detail }) => detail.length > 20)).toBe(true);
    const checked = await checkName(displayName);
    expect((checked.json as { violations: unknown[] }).violations.length).toBeGreaterThan(0);
  });

  test('a name that protects groups can’t be taken', async () => {
    const answer = await house.create('rita', wish('adm-Servers'));
    expect([answer.status, pointersOf(answer)]).toEqual([400, ['/displayName']]);
    const renamed = await house.manage('olivia', groups.design.id, { kind: 'describe', displayName: 'ADM-Design' });
    expect([renamed.status, pointersOf(renamed)]).toEqual([400, ['/displayName']]);
  });

  test.each(['\ud800', 'a b', 'a@b', '', 'x'.repeat(65), 'marketing'])(
    'a mail nickname that no group can have, or another has, is refused: %j',
    async (mailNickname) => {
      const answer = await house.create('rita', wish('Fine Name', { kind: 'microsoft365', mailNickname }));
      expect([answer.status, new Set(pointersOf(answer))]).toEqual([400, new Set(['/mailNickname'])]);
    },
  );

  test('an emoji beside letters is fine', async () => {
    expect((await checkName('Party 🎉')).json).toMatchObject({ violations: [] });
  });

  test('blocked words of the creation policy are found however they are written', async () => {
    const adele = await house.as('adele');
    const before = await adele.call('GET', '/api/policies/creation');
    expect(before.headers.get('etag')).toBe('"none"');
    const written = await adele.call(
      'PUT',
      '/api/policies/creation',
      { names: { blockedWords: ['board'], allowedWords: ['skateboard'] } },
      { 'if-match': '"none"' },
    );
    expect(written.status).toBe(200);
    const found = async (name: string) =>
      ((await checkName(name)).json as { violations: { rule: string }[] }).violations.map(({ rule }) => rule);
    expect(await found('The Bоärd')).toEqual(['name-has-blocked-word']);
    expect(await found('Skateboard Fans')).toEqual([]);
    expect((await house.create('rita', wish('B.o.a.r.d'))).status).toBe(400);
  });

  test('names near existing ones are shown, but not of groups that are not open to all', async () => {
    const near = async (name: string): Promise<string[]> =>
      ((await checkName(name)).json as { nearDuplicates: { displayName: string }[] }).nearDuplicates.map(
        ({ displayName }) => displayName,
      );
    expect(await near('Desing Studio')).toContain('Design Studio');
    const secret = 'Quarterly Layoffs';
    await house.change({
      type: 'createGroup',
      group: {
        displayName: secret,
        mailNickname: 'quarterly-layoffs',
        mailEnabled: true,
        groupTypes: ['Unified'],
        visibility: 'HiddenMembership',
      },
    });
    expect(await near('Quarterly Layoff')).toEqual([]);
    await house.change({
      type: 'createGroup',
      group: { displayName: 'Quarterly Lunches', mailNickname: 'quarterly-lunches' },
    });
    expect(await near('Quarterly Lunch')).toEqual(['Quarterly Lunches']);
  });

  test('the full name of a Microsoft 365 group is told with what the person lacks', async () => {
    await house.change({
      type: 'setGroupSettings',
      values: { PrefixSuffixNamingRequirement: '[StateOrProvince]-[GroupName]_[Office]' },
    });
    const answer = await (
      await house.as('priya')
    ).call('POST', '/api/groups/check-name', { kind: 'microsoft365', displayName: 'Field Notes' });
    expect(answer.json).toMatchObject({
      displayName: '-Field Notes_',
      mailNickname: '-field-notes_',
      missingAttributes: ['StateOrProvince', 'Office'],
    });
    await house.change({ type: 'setGroupSettings', values: null });
  });
});

describe('owners', () => {
  test('each that does not fit is told, all at once, and no group is made', async () => {
    const owners = [
      'dddddddd-dddd-4ddd-8ddd-dddddddddddd',
      people.gus.id,
      people.dana.id,
      people.nora.id,
      people.mona.id,
      people.mona.id,
      people.rita.id,
    ];
    const answer = await house.create('rita', wish('Misfits', { owners, visibility: 'Private' }));
    expect([answer.status, pointersOf(answer).toSorted()]).toEqual([
      400,
      ['/owners/0', '/owners/1', '/owners/2', '/owners/3', '/owners/5', '/owners/6', '/visibility'],
    ]);
    expect(await house.named('Misfits')).toEqual([]);
  });

  test('a second one is asked for where the policy says so', async () => {
    const adele = await house.as('adele');
    const etag = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
    const policy = { security: { secondOwner: true } };
    expect((await adele.call('PUT', '/api/policies/creation', policy, { 'if-match': etag })).status).toBe(200);
    expect(pointersOf(await house.create('rita', wish('Lonely')))).toEqual(['/owners']);
    expect((await house.create('rita', wish('Lonely', { owners: [people.mona.id] }))).status).toBe(202);
  });
});

describe('who may create', () => {
  test('guests and apps never may', async () => {
    expect(ruleOf(await house.create('gus', wish('Guests only')))).toBe('creator-is-guest');
    expect((await house.system.call('POST', '/api/groups', wish('Robots'))).status).toBe(403);
  });

  test('those whom the policy names may, and a kind can be closed', async () => {
    const adele = await house.as('adele');
    const etag = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
    const engineering = groups.engineering.id;
    const policy = { security: { membersOf: [engineering] }, microsoft365: { allowed: false } };
    const written = await adele.call('PUT', '/api/policies/creation', policy, { 'if-match': etag });
    expect([written.status, (written.json as { version: string }).version]).toEqual([
      200,
      expect.stringMatching(/^creation@\d+$/),
    ]);
    expect(ruleOf(await house.create('omar', wish('Bookkeepers')))).toBe('creator-not-eligible');
    expect(ruleOf(await house.create('tomas', wish('Teamsters', { kind: 'microsoft365' })))).toBe('kind-not-allowed');
    expect((await house.create('tomas', wish('Site reliability'))).status).toBe(202);
    // a group that decides who may create can't be joined by itself
    expect(
      (
        await house.system.call('POST', `/api/groups/${engineering}/join-requests`, {
          userId: people.rita.id,
          justification: 'x',
        })
      ).status,
    ).toBe(409);
    const latest = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
    await adele.call('PUT', '/api/policies/creation', {}, { 'if-match': latest });
  });

  test('a policy that contradicts itself, or names nobody there is, is refused with every error at once', async () => {
    const adele = await house.as('adele');
    const latest = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
    const wrong = await adele.call(
      'PUT',
      '/api/policies/creation',
      {
        security: { allowed: false, membersOf: [people.rita.id], approval: { approvers: [{ kind: 'owners' }] } },
        microsoft365: { approval: { approvers: [{ kind: 'manager' }], deadline: 'P1D', reminders: ['P2D'] } },
        colour: 'red',
      },
      { 'if-match': latest },
    );
    expect([wrong.status, pointersOf(wrong).toSorted()]).toEqual([
      400,
      ['/colour', '/microsoft365/approval/reminders/0', '/security/approval/approvers/0/kind', '/security/membersOf'],
    ]);
    const unknown = await adele.call(
      'PUT',
      '/api/policies/creation',
      {
        security: { membersOf: ['dddddddd-dddd-4ddd-8ddd-dddddddddddd'] },
        fallbackApprovers: [{ kind: 'people', ids: [people.dana.id] }],
      },
      { 'if-match': latest },
    );
    expect(pointersOf(unknown).toSorted()).toEqual(['/fallbackApprovers/0/ids/0', '/security/membersOf/0']);
    const endless = { names: { blockedWords: Array.from({ length: 400 }, (_, n) => `${'w'.repeat(95)}${String(n)}`) } };
    const long = await adele.call('PUT', '/api/policies/creation', endless, { 'if-match': latest });
    expect([long.status, pointersOf(long)]).toEqual([400, ['/names']]);
    expect((await adele.call('PUT', '/api/policies/creation', {}, { 'if-match': '"77"' })).status).toBe(412);
    expect((await adele.call('PUT', '/api/policies/creation', {})).status).toBe(428);
  });
});
