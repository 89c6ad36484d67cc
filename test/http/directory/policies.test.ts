import { groups, people } from '../../../local/demo-tenant';
import { errorOf, openDirectory, valueOf } from '../../unit/local/directory/support';
import type { Answer, Call } from '../../unit/local/directory/support';

let directory: ReturnType<typeof openDirectory>;
beforeEach(() => {
  directory = openDirectory();
});
afterEach(() => {
  jest.restoreAllMocks();
  directory.close();
});

const roles = ['Group.ReadWrite.All', 'User.Read.All', 'Directory.ReadWrite.All', 'GroupSettings.Read.All'];
const post = (path: string, body?: unknown, call: Call = {}): Promise<Answer> =>
  directory.call(path, { method: 'POST', ...(body !== undefined && { body }), roles, ...call });
const microsoft365 = (name: string, mailNickname = name) => ({
  displayName: name,
  mailNickname,
  mailEnabled: true,
  securityEnabled: false,
  groupTypes: ['Unified'],
});
const names = (values: Record<string, string> | null) => directory.change({ type: 'setGroupSettings', values });
const validate = (body: object, call: Call = {}) =>
  post('/directoryObjects/validateProperties', { entityType: 'Group', ...body }, call);
const detailsOf = (answer: Answer): Record<string, unknown>[] =>
  (answer.json['error'] as { details?: Record<string, unknown>[] }).details ?? [];

describe('the settings of groups', () => {
  it('are none until there are some, then every value with its default', async () => {
    expect(valueOf(await directory.call('/groupSettings', { roles }))).toEqual([]);
    await names({ PrefixSuffixNamingRequirement: 'GRP_[GroupName]' });
    const [settings] = valueOf(await directory.call('/groupSettings', { roles }));
    const [template] = valueOf(await directory.call('/groupSettingTemplates', { roles }));
    expect(settings).toMatchObject({
      displayName: 'Group.Unified',
      templateId: '62375ab9-6b52-47ed-826b-58e47e0e304b',
      values: expect.arrayContaining([
        { name: 'PrefixSuffixNamingRequirement', value: 'GRP_[GroupName]' },
        { name: 'CustomBlockedWordsList', value: '' },
        { name: 'EnableGroupCreation', value: 'true' },
      ]) as unknown,
    });
    expect(template).toMatchObject({ id: settings?.['templateId'], displayName: 'Group.Unified' });
    expect((settings?.['values'] as unknown[]).length).toBe((template?.['values'] as unknown[]).length);
    await names(null);
    expect(valueOf(await directory.call('/groupSettings', { roles }))).toEqual([]);
  });

  it('take GroupSettings.Read.All, and the admin call only names that there are', async () => {
    expect((await directory.call('/groupSettings', { roles: ['Group.ReadWrite.All'] })).status).toBe(403);
    expect((await directory.call('/groupSettings', { roles: ['GroupSettings.Read.All'] })).status).toBe(200);
    expect((await names({ Colour: 'red' })).status).toBe(400);
  });
});

describe('validating names', () => {
  it('answers 204 where nothing is asked', async () => {
    expect((await validate({ displayName: 'Golf', mailNickname: 'golf' })).status).toBe(204);
  });

  it('names every missing prefix and suffix, with the attributes of the person', async () => {
    await names({ PrefixSuffixNamingRequirement: 'GRP [Department]_[GroupName]-[CountryOrRegion]' });
    const answer = await validate({ displayName: 'Golf', mailNickname: 'golf', onBehalfOfUserId: people.rita.id });
    expect([answer.status, errorOf(answer).code, errorOf(answer).message]).toEqual([
      422,
      'Request_UnprocessableEntity',
      'The values provided contain one or more validation errors.',
    ]);
    expect(detailsOf(answer)).toEqual([
      {
        target: 'displayName',
        code: 'MissingPrefixSuffix',
        message: expect.stringContaining('missing a required prefix/suffix') as string,
        prefix: 'GRP Design_',
        suffix: '-Sweden',
      },
      expect.objectContaining({ target: 'mailNickname', prefix: 'GRPDesign_', suffix: '-Sweden' }),
    ]);
    const complete = { displayName: 'GRP Design_Golf-Sweden', mailNickname: 'GRPDesign_golf-Sweden' };
    expect((await validate({ ...complete, onBehalfOfUserId: people.rita.id })).status).toBe(204);
    expect((await validate({ ...complete, onBehalfOfUserId: people.ravi.id })).status).toBe(422);
    expect((await validate({ displayName: 'GRP Design_-Sweden', onBehalfOfUserId: people.rita.id })).status).toBe(422);
  });

  it('fills all six attributes in, and an attribute that a person lacks with nothing', async () => {
    await names({
      PrefixSuffixNamingRequirement:
        '[Department]|[Company]|[Office]|[StateOrProvince]|[CountryOrRegion]|[Title]|[GroupName][-Contoso]',
    });
    const prefixFor = async (id: string) => detailsOf(await validate({ displayName: 'Golf', onBehalfOfUserId: id }))[0];
    expect(await prefixFor(people.rita.id)).toMatchObject({
      prefix: 'Design|Contoso|Stockholm 3|Stockholm|Sweden|Product Designer|',
      suffix: '-Contoso',
    });
    expect(await prefixFor(people.ng.id)).toMatchObject({ prefix: '||||||' });
  });

  it('finds blocked words whatever their case, as whole words only, once the prefix is right', async () => {
    await names({ PrefixSuffixNamingRequirement: 'GRP_[GroupName]', CustomBlockedWordsList: 'CEO, lass,Pay Roll' });
    const codes = async (displayName: string) =>
      detailsOf(await validate({ displayName })).map(({ code, target }) => [code, target]);
    expect(await codes('GRP_the ceo office')).toEqual([['ContainsBlockedWord', 'displayName']]);
    expect(await codes('GRP_pay-roll')).toEqual([['ContainsBlockedWord', 'displayName']]);
    expect(await codes('the ceo office')).toEqual([['MissingPrefixSuffix', 'displayName']]);
    expect((await validate({ displayName: 'GRP_Class of ceoship' })).status).toBe(204);
  });

  it('finds a mail nickname that another group has, and not the own', async () => {
    const answer = await validate({ mailNickname: 'marketing' });
    expect(detailsOf(answer)).toEqual([
      {
        target: 'mailNickname',
        code: 'PropertyConflict',
        message: 'Another object with the same value for property mailNickname already exists.',
      },
    ]);
    const own = (id: string) => post(`/groups/${id}/validateProperties`, { mailNickname: 'marketing' });
    expect((await own(groups.marketing.id)).status).toBe(204);
    expect((await own(groups.publicNews.id)).status).toBe(422);
  });

  it('answers 400 for a request that says nothing, or not about a group, and takes Group.Read.All', async () => {
    expect((await validate({})).status).toBe(400);
    expect((await validate({ displayName: 'x', entityType: 'User' })).status).toBe(400);
    expect((await validate({ displayName: 'x', onBehalfOfUserId: 'rita' })).status).toBe(400);
    expect((await validate({ mailNickname: 'a b' })).status).toBe(400);
    expect((await validate({ displayName: 'x' }, { roles: ['GroupMember.Read.All'] })).status).toBe(403);
    expect((await validate({ displayName: 'x' }, { roles: ['Group.Read.All'] })).status).toBe(204);
  });
});

describe('the naming policy on writes', () => {
  it('refuses Microsoft 365 groups without the prefix, and suggests the name', async () => {
    await names({ PrefixSuffixNamingRequirement: 'GRP_[GroupName]_[Department]' });
    const answer = await post('/groups', microsoft365('Golf'));
    expect([answer.status, errorOf(answer).code, errorOf(answer).message]).toEqual([
      400,
      'Request_BadRequest',
      "The property is missing a required prefix/suffix per your organization's Group naming requirements.",
    ]);
    // An app has no department.
    expect(detailsOf(answer)).toMatchObject([
      { target: 'displayName', code: 'MissingPrefixSuffix', suggestedPropertyValue: 'GRP_Golf_' },
    ]);
    expect((await post('/groups', microsoft365('GRP_Golf_'))).status).toBe(201);
    const security = { displayName: 'Golf', mailNickname: 'golf', mailEnabled: false, securityEnabled: true };
    expect((await post('/groups', security)).status).toBe(201);
  });

  it('refuses blocked words, also in a change of the name, and leaves what is not changed alone', async () => {
    await names({ CustomBlockedWordsList: 'payroll,marketing' });
    expect(detailsOf(await post('/groups', microsoft365('Payroll')))[0]).toMatchObject({ code: 'ContainsBlockedWord' });
    const patch = (body: object) => directory.call(`/groups/${groups.marketing.id}`, { method: 'PATCH', body, roles });
    expect((await patch({ displayName: 'Payroll' })).status).toBe(400);
    expect((await patch({ displayName: 'Marketing', description: 'Campaigns' })).status).toBe(204);
  });

  it('spares apps where the directory is told so', async () => {
    await names({ PrefixSuffixNamingRequirement: 'GRP_[GroupName]' });
    await directory.settings({ appsExemptFromNaming: true });
    expect((await post('/groups', microsoft365('Golf'))).status).toBe(201);
    expect((await validate({ displayName: 'Golf' })).status).toBe(422);
  });
});

describe('expiration', () => {
  const day = 24 * 3_600_000;
  const policy = (managedGroupTypes: 'All' | 'Selected' | 'None', groupLifetimeInDays = 180) =>
    directory.change({ type: 'setLifecyclePolicy', policy: { groupLifetimeInDays, managedGroupTypes } });
  const expiry = async (id: string, call: Call = {}): Promise<unknown> =>
    (await directory.call(`/groups/${id}?$select=expirationDateTime`, { roles, ...call })).json['expirationDateTime'];
  const renew = (id: string, call: Call = {}) => post(`/groups/${id}/renew`, undefined, call);
  /** The clock `days` from now, and a token that is good then. */
  const later = (days: number): Call => {
    const at = Date.now() + days * day;
    jest.useFakeTimers({ now: at, doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
    return { claims: { exp: Math.floor(at / 1000) + 600 } };
  };
  afterEach(() => jest.useRealTimers());

  it('is nothing, and no renewal, without a policy', async () => {
    expect(valueOf(await directory.call('/groupLifecyclePolicies', { roles }))).toEqual([]);
    expect(await expiry(groups.marketing.id)).toBeNull();
    expect((await renew(groups.marketing.id)).status).toBe(400);
  });

  it('dates Microsoft 365 groups by the policy, and renewal dates them anew', async () => {
    await policy('All');
    const [shown] = valueOf(await directory.call('/groupLifecyclePolicies', { roles }));
    expect(shown).toEqual({
      id: expect.any(String) as string,
      groupLifetimeInDays: 180,
      managedGroupTypes: 'All',
      alternateNotificationEmails: null,
    });
    const created = await post('/groups', microsoft365('Golf'));
    const id = String(created.json['id']);
    const renewed = Date.parse(String(created.json['renewedDateTime']));
    expect(Date.parse(String(created.json['expirationDateTime'])) - renewed).toBe(180 * day);
    const call = later(10);
    expect((await renew(id, call)).status).toBe(204);
    expect(Date.parse(String(await expiry(id, call)))).toBe(Date.now() + 180 * day);
    expect((await renew(groups.design.id, call)).status).toBe(400);
    expect(await expiry(groups.design.id, call)).toBeNull();
  });

  it('leaves 35 days to groups that are past their time when the policy comes, then deletes them, restorable', async () => {
    await policy('All');
    const left = Date.parse(String(await expiry(groups.marketing.id))) - Date.now();
    expect(left).toBeGreaterThan(35 * day - 60_000);
    expect(left).toBeLessThanOrEqual(35 * day);
    const call = later(36);
    expect((await directory.call(`/groups/${groups.marketing.id}`, { roles, ...call })).status).toBe(404);
    expect((await directory.call(`/groups/${groups.design.id}`, { roles, ...call })).status).toBe(200);
    const restored = await post(`/directory/deletedItems/${groups.marketing.id}/restore`, undefined, call);
    expect(restored.status).toBe(200);
    expect(Date.parse(String(await expiry(groups.marketing.id, call)))).toBe(Date.now() + 180 * day);
  });

  it('governs selected groups only where the policy says so', async () => {
    await policy('Selected');
    const [shown] = valueOf(await directory.call('/groupLifecyclePolicies', { roles }));
    const path = `/groupLifecyclePolicies/${String(shown?.['id'])}`;
    const change = async (verb: string, groupId: string) => (await post(`${path}/${verb}`, { groupId })).json['value'];
    expect(await change('removeGroup', groups.marketing.id)).toBe(false);
    expect(await change('addGroup', groups.design.id)).toBe(false);
    expect(await expiry(groups.marketing.id)).toBeNull();
    expect(await change('addGroup', groups.marketing.id)).toBe(true);
    expect(await expiry(groups.marketing.id)).not.toBeNull();
    expect(await expiry(groups.publicNews.id)).toBeNull();
    expect((await renew(groups.marketing.id)).status).toBe(204);
    expect(await change('removeGroup', groups.marketing.id)).toBe(true);
    expect(await expiry(groups.marketing.id)).toBeNull();
    expect(
      (await post(`/groupLifecyclePolicies/${groups.design.id}/addGroup`, { groupId: groups.design.id })).status,
    ).toBe(404);
  });

  it('takes permissions of its own', async () => {
    await policy('All');
    expect((await directory.call('/groupLifecyclePolicies', { roles: ['Group.ReadWrite.All'] })).status).toBe(403);
    expect((await renew(groups.marketing.id, { roles: ['GroupMember.ReadWrite.All'] })).status).toBe(403);
    expect((await renew(groups.marketing.id, { roles: ['Group.ReadWrite.All'] })).status).toBe(204);
  });
});
