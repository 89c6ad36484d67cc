import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { apps, groups, people, tenant, userPrincipalNameOf } from '../../../local/demo-tenant';
import type { AppAlias } from '../../../local/demo-tenant';
import { cliClientId } from '../../../local/entra/entra';
import { asPersonWithToken, mintToken } from '../../../local/stack/actors';
import { API_SCOPE } from '../../../local/stack/first-request';
import { isFree, portsFrom } from '../../../local/stack/ports';
import { openHouse } from '../../workflow/house';
import type { House, Status } from '../../workflow/house';
import { eventually } from '../stack/tools';
import { start } from './process';
import type { Ended } from './process';

jest.setTimeout(120_000);

let house: House;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));

/** The first of a row of ports, as `npm start` has them: `--local` finds the issuer by that. */
async function freePortBase(): Promise<number> {
  for (;;) {
    const base = 12_000 + Math.floor((Math.random() * 7_000) / 20) * 20;
    const isAllFree = await Promise.all(Object.values(portsFrom(base)).map(isFree));
    if (isAllFree.every(Boolean)) return base;
  }
}

beforeAll(async () => {
  house = await openHouse({ ports: portsFrom(await freePortBase()) });
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

const here = (): NodeJS.ProcessEnv => ({ GATEHOUSE_BASE_URL: house.stack.urls.frontDoor });
const gatehouse = (args: string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ended> =>
  start(args, { ...here(), ...env }, input).ended;
const local = (as: string, ...args: string[]): Promise<Ended> => gatehouse([...args, '--local', '--as', as]);
const json = <T = Status>({ out }: Ended): T => JSON.parse(out) as T;

/** What somebody sets who signs in to the stack as to Azure. */
const azure = (): NodeJS.ProcessEnv => ({
  GATEHOUSE_SCOPE: API_SCOPE,
  GATEHOUSE_TENANT_ID: tenant.id,
  AZURE_AUTHORITY_HOST: house.stack.urls.entraHttps,
  NODE_EXTRA_CA_CERTS: house.stack.tls.caFile,
});
const secretOf = (alias: AppAlias): NodeJS.ProcessEnv => ({
  AZURE_CLIENT_ID: apps[alias].clientId,
  AZURE_CLIENT_SECRET: apps[alias].secret,
});

async function requested(group: keyof typeof groups, person: keyof typeof people): Promise<string> {
  const ended = await local(
    'hrPortal',
    'request',
    groups[group].id,
    '--user-id',
    people[person].id,
    '--justification',
    'I work with them.',
    '--json',
  );
  expect(ended).toMatchObject({ code: 0, told: '' });
  return json(ended).id;
}

test('a system signs in with its secret and files, an owner signs in by device code and approves, and the person is a member', async () => {
  const filing = await gatehouse(
    [
      'request',
      groups.design.id,
      '--user-principal-name',
      userPrincipalNameOf(people.rita),
      '--justification',
      'I join them.',
      '--json',
    ],
    { ...azure(), ...secretOf('hrPortal') },
  );
  expect(filing).toMatchObject({ code: 0, told: '' });
  const { id } = json(filing);

  const signingIn = start(['token', '--sign-in', 'device-code', '--client-id', cliClientId], { ...here(), ...azure() });
  const [, page = '', code = ''] = await signingIn.says(/open the page (\S+) and enter the code (\S+) /);
  await fetch(page, { method: 'POST', body: new URLSearchParams({ code, person: 'olivia' }) });
  const { code: signedIn, out: token } = await signingIn.ended;
  expect(signedIn).toBe(0);

  const deciding = await gatehouse(['decide', id, 'approve', '--comment', 'Welcome.'], {
    GATEHOUSE_ACCESS_TOKEN: token.trim(),
  });
  expect(deciding).toMatchObject({ code: 0, told: '' });
  expect(deciding.out).toMatch(/^State +(approved|applying|granted)$/m);

  const waiting = await gatehouse(['status', id, '--wait', '--token-stdin'], {}, token);
  expect(waiting.code).toBe(0);
  expect(waiting.out).toMatch(/^State +granted$/m);
  expect(waiting.out).toMatch(/approved +The request was approved\. +Olivia Okafor$/m);
  expect(await house.isMember('design', 'rita')).toBe(true);
});

test('the same as the Azure CLI knows the person', async () => {
  const az = join(folder, 'az');
  const token = await mintToken(house.stack.urls, { person: 'otto' });
  const answer = {
    accessToken: token,
    expires_on: Math.floor(Date.now() / 1_000) + 3_600,
    tenant: tenant.id,
    tokenType: 'Bearer',
  };
  writeFileSync(az, `#!/bin/sh\nprintf '%s' '${JSON.stringify(answer)}'\n`);
  chmodSync(az, 0o755);
  const listed = await gatehouse(['list', '--sign-in', 'azure-cli'], {
    ...azure(),
    PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
  });
  expect(listed).toMatchObject({ code: 0, told: '' });
});

test('a request that is waited for and denied is exit code 7', async () => {
  const waiting = start(
    [
      'request',
      groups.design.id,
      '--user-id',
      people.ravi.id,
      '--justification',
      'I would like to.',
      '--wait',
      '--local',
    ],
    here(),
  );
  const [, id = ''] = await waiting.says(/Request ([0-9a-f]{32})/);
  const denied = await local('olivia', 'decide', id, 'deny', '--comment', 'Not now.');
  expect(denied).toMatchObject({ code: 0, told: '' });
  const { code, out, told } = await waiting.ended;
  expect(code).toBe(7);
  expect(out).toMatch(/^State +denied$/m);
  expect(told).toContain(id);
});

describe('exit codes, each from the API itself', () => {
  let id: string;
  beforeAll(async () => {
    id = await requested('research', 'lars');
  });

  test('0: with --json what the API answers, as it is', async () => {
    const ended = await local('hrPortal', 'status', id, '--json');
    const { json: own } = await house.system.call('GET', `/api/join-requests/${id}`);
    expect(json(ended)).toMatchObject({ id, group: (own as Status).group, state: 'pending' });
    expect(Object.keys(json(ended)).toSorted()).toEqual(Object.keys(own as Status).toSorted());
  });

  test('2: what was given is wrong, field by field', async () => {
    const { code, out, told } = await local(
      'hrPortal',
      'request',
      groups.design.id,
      '--user-id',
      'x',
      '--duration',
      '30 days',
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(told).toContain('--user-id: Give the object id');
    expect(told).toContain('--duration: Give an ISO 8601 duration');
    expect(told).toMatch(/^Correlation id: [0-9a-f-]{36}$/m);
  });

  test('3: nobody, not allowed, or a secret that is wrong', async () => {
    const expired = await mintToken(house.stack.urls, { app: 'hrPortal', expiresIn: -3_600 });
    expect((await gatehouse(['status', id], { GATEHOUSE_ACCESS_TOKEN: expired })).code).toBe(3);
    const forbidden = await local('noRoles', 'ops', 'list');
    expect(forbidden.code).toBe(3);
    expect(forbidden.told).toContain('This needs the app role Operations.Manage.');
    const wrong = await gatehouse(['status', id], {
      ...azure(),
      ...secretOf('hrPortal'),
      AZURE_CLIENT_SECRET: 'guessed',
    });
    expect(wrong.code).toBe(3);
    expect(wrong.told).toContain('AADSTS7000215');
  });

  test('4: not there', async () => {
    expect((await local('hrPortal', 'status', '0'.repeat(32))).code).toBe(4);
  });

  test('5: refused by a rule', async () => {
    const { code, told } = await local(
      'hrPortal',
      'request',
      groups.dynamic.id,
      '--user-id',
      people.lars.id,
      '--justification',
      'Please.',
    );
    expect(code).toBe(5);
    expect(told).toContain('The request can’t be filed');
  });

  test('5: decided before, and what was recorded is told', async () => {
    const other = await requested('finance', 'elena');
    expect((await local('omar', 'decide', other, 'deny')).code).toBe(0);
    const { code, told, out } = await local('omar', 'decide', other, 'approve', '--json');
    expect(code).toBe(5);
    expect(told).toContain('Your decision was not recorded: the request is denied.');
    expect(json<{ state: string }>({ code, told, out }).state).toBe('denied');
  });

  test('6: not so often, and when again', async () => {
    const { id: mailed } = await house.until(id, ({ waitingFor }) => waitingFor?.what === 'decision');
    const { code, told } = await local('lars', 'nudge', mailed);
    expect(code).toBe(6);
    expect(told).toMatch(/^Try again in \d+ seconds\.$/m);
  });

  test('8: the time to wait is over', async () => {
    const { code, told, out } = await local('hrPortal', 'status', id, '--wait', '--timeout', 'PT1S');
    expect(code).toBe(8);
    expect(told).toContain('The request is pending; it waits for a decision of the approvers.');
    expect(out).toMatch(/^State +pending$/m);
  });

  test('the second request of the same person is the first', async () => {
    const again = await local(
      'hrPortal',
      'request',
      groups.research.id,
      '--user-id',
      people.lars.id,
      '--justification',
      'Again.',
      '--json',
    );
    expect(again.code).toBe(0);
    expect(json(again).id).toBe(id);
    expect(again.told).toContain('an open request for this group already');
  });

  test('operations list and end it, and what has ended can’t be tried again', async () => {
    const listed = await gatehouse(['ops', 'list', '--local', '--page-size', '1', '--all']);
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(new RegExp(`^${id} .*pending +Lars Jørgensen +Research`, 'm'));
    expect((await gatehouse(['ops', 'cancel', id, '--reason', 'A test.', '--local'])).code).toBe(0);
    const retried = await gatehouse(['ops', 'retry', id, '--local']);
    expect(retried.code).toBe(5);
    expect(retried.told).toContain('cancelled');
  });
});

test('names that would turn a terminal around or write to it are spelled out', async () => {
  const id = await requested('design', 'bidi');
  const { code, out } = await local('hrPortal', 'status', id);
  expect(code).toBe(0);
  expect(out).toContain('ליאור \\u202eכהן Levi');
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
});

describe('policies', () => {
  const file = join(folder, 'policy.json');
  const group = groups.engineering.id;
  const policy = (...args: string[]): Promise<Ended> => gatehouse(['policy', ...args, '--local']);

  test('are read, tried, changed, and read again', async () => {
    const before = await policy('get', group, '--json');
    expect(json<{ version: string }>(before).version).toBe('setting');
    writeFileSync(file, JSON.stringify({ optedIn: true, ownerCare: false, maximumDuration: 'P90D' }));

    const tried = await policy('apply', group, '--file', file, '--dry-run', people.rita.id);
    expect(tried.code).toBe(0);
    expect(tried.told).toBe('+ maximumDuration: P90D\n');
    expect(tried.out).toMatch(/^May ask +yes$/m);
    expect(tried.out).toMatch(/^Decide +1 of .*Mona Larsen/m);
    expect((await policy('get', group, '--json')).out).toBe(before.out);

    const applied = await policy('apply', group, '--file', file, '--json');
    expect(applied).toMatchObject({ code: 0, told: '+ maximumDuration: P90D\n' });
    expect(json<{ version: string }>(applied).version).toBe('group@1');
    const again = await policy('apply', group, '--file', '-');
    expect(again.code).toBe(2);
    const same = await policy('apply', group, '--file', file);
    expect(same).toMatchObject({ code: 0, told: 'Nothing is different: nothing was written.\n' });
    const shown = await policy('get', group);
    expect(shown.out).toMatch(/^version +group@1$/m);
    expect(shown.out).toMatch(/^policy\.maximumDuration +P90D$/m);
    expect((await policy('versions', group, '--json')).out).toContain('group@1');
  });

  test('are refused where they contradict themselves, and a person who may not ask is exit code 7', async () => {
    writeFileSync(file, JSON.stringify({ optedIn: true, maximumDuration: 'P1D', defaultDuration: 'P90D' }));
    const refused = await policy('apply', group, '--file', file);
    expect(refused.code).toBe(2);
    expect(refused.told).toContain('/defaultDuration');
    const member = await policy('dry-run', group, userPrincipalNameOf(people.tomas));
    expect(member.code).toBe(7);
    expect(member.out).toMatch(/^May ask +no$/m);
  });
});

test('who may read the trail gets it as CSV, as it is', async () => {
  const auditor = await asPersonWithToken(house.stack.urls, 'aude');
  const csv = async (): Promise<string> =>
    (await auditor.call('GET', '/api/audit?event=filed', undefined, { accept: 'text/csv' })).text;
  house.stack.clock.advance(60_000);
  // the trail is copied by a timer, every minute
  await eventually(async () => (await csv()).includes('"filed"'), 60_000);
  const { code, out } = await gatehouse(['audit', '--event', 'filed', '--format', 'csv', '--local']);
  expect(code).toBe(0);
  expect(out).toMatch(/^\ufeff"at","event",.*\r\n"[^"]+","filed"/);
});
