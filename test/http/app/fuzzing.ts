import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';

import fc from 'fast-check';
import { z } from 'zod';

import type { Door } from '../../../functions/door';
import { groups, people, userPrincipalNameOf } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, linkIn, mailsTo, mintToken, signIn } from '../../../local/stack/actors';
import { ROLES } from '../../../shared/web/tokens';
import { openGroupsHouse, wish } from '../../workflow/own-groups-house';
import { SECRETS, found } from '../../workflow/said';

/** Longest time that an answer may take, in milliseconds. */
const MOST_MS = 2_000;
/** Takes as long as there are groups in the tenant: it is in time where it begins in time. */
const STREAMED = new Set(['readSelfServiceReport']);
/** What the browser of a form holds: the cookie and the field that must match it. */
const FORM_TOKEN = 'A'.repeat(22);

type Json = Record<string, unknown>;

/** One call, as it is generated. What stands in `<…>` in a parameter is a thing of the house that exists when the call is made. */
export interface Call {
  caller: string;
  params: Record<string, string>;
  query: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  ms: number;
}

// ---- what is generated

const TEXTS = [
  'because',
  '',
  ' ',
  'P30D',
  'PT1S',
  'P99999D',
  'P0D',
  'PT',
  'P1Y',
  '-P1D',
  'approve',
  'deny',
  'extend',
  'lapse',
  'leave',
  'yes',
  people.rita.id,
  people.ravi.id.toUpperCase(),
  people.olivia.id,
  people.dana.id,
  people.gus.id,
  groups.finance.id,
  '00000000-0000-0000-0000-000000000000',
  userPrincipalNameOf(people.rita),
  "o'hara@contoso.example",
  '#\u0001@contoso.example',
  '=HYPERLINK("http://evil.example")',
  '<script>alert(1)</script>',
  '<'.repeat(300),
  'a\r\nset-cookie: x=1',
  'a\u0000b',
  '\ud800',
  '\u202eevil',
  '\ufeff',
  '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧‍👦',
  'x'.repeat(2_000),
  'é'.repeat(2_001),
  '__proto__',
  "' or '1' eq '1",
  '${7*7}{{7*7}}',
  '../../state',
  'Microsoft.EventGrid.SubscriptionValidationEvent',
  'Microsoft.Communication.EmailDeliveryReportReceived',
  'Bounced',
] as const;
const KEYS = ['__proto__', 'constructor', 'toString', 'extra', '', 'a/b~c', '\u0000', 'k'.repeat(500), 'id'] as const;

/** Values that the rules accept, by the name of the field: without them hardly a document would be good. */
const GOOD: Record<string, readonly string[]> = {
  userId: [people.rita.id, people.ravi.id, people.mona.id, people.gus.id],
  duration: ['P30D', 'PT1H', ''],
  maximumDuration: ['P365D'],
  defaultDuration: ['P30D'],
  coolDown: ['P1D'],
  deadline: ['P30D'],
  escalateAfter: ['P9D'],
  reminders: ['P1D', 'P2D'],
  warnings: ['P1D'],
  prompt: ['Why?'],
  decision: ['approve', 'deny'],
  action: ['extend', 'lapse', 'leave', 'nudge', 'withdraw'],
  sure: ['yes'],
  comment: ['', 'as agreed'],
  justification: ['because'],
  reason: ['because'],
};

const anyText = fc.oneof(
  { arbitrary: fc.constantFrom(...TEXTS), weight: 6 },
  { arbitrary: fc.string({ maxLength: 60 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 60 }), weight: 1 },
);
const anyValue = fc.oneof(
  anyText,
  fc.constantFrom(null, true, false, 0, -1, 1e308, 2 ** 53, -0.5, [], {}, [[]]),
  fc.jsonValue({ maxDepth: 3 }),
);

const IDS_KNOWN = [people.olivia.id, people.omar.id, people.amara.id, groups.finance.id, groups.design.id] as const;
const textOf = (name: string, other: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  Object.hasOwn(GOOD, name)
    ? fc.oneof({ arbitrary: fc.constantFrom(...(GOOD[name] ?? [])), weight: 9 }, { arbitrary: other, weight: 1 })
    : other;

/** Values that are as the schema says where JSON Schema can tell it, with texts that the rules beyond it accept or refuse. */
function ofSchema(schema: Json, name = ''): fc.Arbitrary<unknown> {
  const several = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
  if (several !== undefined) return fc.oneof(...several.map((each) => ofSchema(each, name)));
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch (schema['type']) {
    case 'object': {
      const required = (schema['required'] ?? []) as string[];
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>);
      return fc.record(Object.fromEntries(properties.map(([key, value]) => [key, ofSchema(value, key)])), {
        requiredKeys: required,
        noNullPrototype: true,
      });
    }
    case 'array':
      return fc.array(ofSchema((schema['items'] ?? {}) as Json, name), {
        minLength: Math.min(3, Number(schema['minItems'] ?? 0)),
        maxLength: 3,
      });
    case 'string':
      return textOf(name, schema['format'] === 'uuid' ? fc.oneof(fc.constantFrom(...IDS_KNOWN), fc.uuid()) : anyText);
    case 'integer':
    case 'number': {
      const [min, max] = [Number(schema['minimum'] ?? -5), Number(schema['maximum'] ?? 1_000)];
      return fc.integer({ min: Math.max(min, -1_000), max: Math.min(max, 1_000) });
    }
    case 'boolean':
      return fc.boolean();
    default:
      return anyValue;
  }
}

/** The document with one thing changed: a value replaced, a key more, a key less, something around it. */
const changed = (document: unknown): fc.Arbitrary<unknown> => {
  if (typeof document !== 'object' || document === null) return anyValue;
  const keys = Object.keys(document);
  const put = (key: string, value: unknown): unknown => {
    const text = JSON.stringify(document);
    const copy = JSON.parse(text) as Json;
    Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
    return copy;
  };
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...(keys.length === 0 ? ['extra'] : keys)), anyValue)
      .map(([key, value]) => put(key, value)),
    fc.tuple(fc.constantFrom(...KEYS), anyValue).map(([key, value]) => put(key, value)),
    fc.constantFrom(...(keys.length === 0 ? [''] : keys)).map((key) => {
      const copy = JSON.parse(JSON.stringify(document)) as Json;
      delete copy[key];
      return copy;
    }),
    fc.constant([document]),
  );
};

const LARGE: readonly Buffer[] = [
  Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  Buffer.from(`{"a":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`),
  Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: 6_000 }, (_, n) => [`k${String(n)}`, 1])))),
  Buffer.from(JSON.stringify({ justification: 'x'.repeat(65_000) })),
  Buffer.from(JSON.stringify({ justification: 'x'.repeat(70_000) })),
  Buffer.from(JSON.stringify(Array.from({ length: 800 }, (_, n) => ({ id: String(n), eventType: 'x', data: 1 })))),
];

/** The bytes of a text, whole or damaged. */
const bytesOf = (text: string): fc.Arbitrary<Buffer> => {
  const whole = Buffer.from(text);
  const at = fc.nat({ max: whole.length });
  return fc.oneof(
    { arbitrary: fc.constant(whole), weight: 12 },
    { arbitrary: at.map((end) => whole.subarray(0, end)), weight: 1 },
    {
      arbitrary: fc
        .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 }))
        .map(([n, more]) => Buffer.concat([whole.subarray(0, n), more, whole.subarray(n)])),
      weight: 1,
    },
    { arbitrary: fc.constantFrom(Buffer.from(`\ufeff${text}`), Buffer.from(text, 'utf16le')), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
    { arbitrary: fc.constantFrom(...LARGE), weight: 1 },
  );
};

const documents = (schema: Json): fc.Arbitrary<Buffer> =>
  ofSchema(schema)
    .chain((document) =>
      fc.oneof({ arbitrary: fc.constant(document), weight: 1 }, { arbitrary: changed(document), weight: 1 }),
    )
    .chain((document) => bytesOf(JSON.stringify(document) ?? ''));

/** Fields that the app's forms have, form by form, and some that none has. */
const FORMS = [
  ['decision', 'comment', 'duration'],
  ['action', 'justification', 'duration', 'sure'],
  ['decision', 'action', 'token', '__proto__', 'extra'],
] as const;
const forms: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc
      .constantFrom(...FORMS)
      .chain((names) => fc.oneof({ arbitrary: fc.constant([...names]), weight: 3 }, fc.subarray([...names]))),
    fc.constantFrom('A', 'A', 'A', 'A', 'A', 'A', 'B', ''),
  )
  .chain(([names, letter]) =>
    fc
      .tuple(...names.map((name) => textOf(name, anyText).map((value): [string, string] => [name, value])))
      .map((fields): [string, string][] => [
        ...(letter === '' ? [] : [['token', letter.repeat(22)] as [string, string]]),
        ...fields,
      ]),
  )
  .chain((fields) => bytesOf(new URLSearchParams(fields).toString()));

const TARGETS: Record<string, readonly string[]> = {
  groupId: ['<group>', '<group>', '<group>', '<GROUP>', groups.hidden.id, groups.dynamic.id, randomUUID()],
  requestId: ['<pending>', '<granted>', '<denied>', '<denied>', '0'.repeat(32), 'F'.repeat(32)],
  changeId: ['<change>', '<change>', '<change>', '0'.repeat(32), 'F'.repeat(32)],
  linkId: ['<link>', '<link>', '<link>', '<link>', FORM_TOKEN, '<link>x'],
};
const GARBAGE = [
  '%',
  '%00',
  '%0d%0aX:1',
  '%c3%28',
  '..%2f..',
  '%E2%80%AE',
  "'%20or%20'1'%20eq%20'1",
  'a'.repeat(300),
  '*',
  '~',
];

const anyHeaders = fc.dictionary(
  fc.constantFrom(
    'accept',
    'cookie',
    'if-match',
    'if-none-match',
    'idempotency-key',
    'x-correlation-id',
    'x-forwarded-host',
    'x-http-method-override',
    'x-ms-client-principal',
    'x-ms-client-principal-idp',
    'content-encoding',
    'sec-fetch-site',
    'range',
  ),
  fc.oneof(
    fc.constantFrom('"none"', '"1"', 'W/"1"', '*', 'aad', 'gzip', 'null', 'same-origin', 'bytes=0-', 'key', 'a b', ''),
    fc.stringMatching(/^[!-~][ -~]{0,60}$/),
    fc.stringMatching(/^[¡-ÿ]{1,9}$/),
  ),
  { maxKeys: 3, noNullPrototype: true },
);
const anyQuery = fc.oneof(
  { arbitrary: fc.constant(''), weight: 3 },
  {
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom('choice', 'pageSize', 'after', 'code', 'x', '__proto__'),
          fc.oneof(anyText, fc.constantFrom('1', '100', '101', '-1', '1e2', 'NaN', '9999-12-31T23:59:59.999Z_join_x')),
        ),
        { maxLength: 3 },
      )
      .map(
        (pairs) => `?${new URLSearchParams(pairs.map(([k, v]): [string, string] => [k, v.toWellFormed()])).toString()}`,
      ),
    weight: 3,
  },
  { arbitrary: fc.constantFrom('?', '?%', '?a=%zz', '?&&==', '?choice[]=1', '?pageSize=1&pageSize=2'), weight: 1 },
);

/** People who come with the session of a browser, and not with a token. */
const SESSIONS = { 'session of rita': 'rita', 'session of olivia': 'olivia' } as const;
type Session = keyof typeof SESSIONS;
const isSession = (caller: string): caller is Session => caller in SESSIONS;

/** Callers who are admitted, so that the handler is reached, and now and then one who is not. */
function callersOf({ admits }: Door): fc.Arbitrary<string> {
  const admitted =
    admits === 'anyone'
      ? ['rita', 'olivia', ...Object.keys(SESSIONS), 'nobody']
      : [...(admits.people ? ['rita', 'olivia', ...Object.keys(SESSIONS)] : []), ...admits.roles];
  return fc.oneof(
    { arbitrary: fc.constantFrom(...admitted), weight: 9 },
    {
      arbitrary: fc.constantFrom('nobody', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', 'x'.repeat(9_000), '\u00ff'),
      weight: 1,
    },
  );
}

const isPage = ({ api, admits, route }: Door): boolean =>
  api === undefined && admits === 'anyone' && !route.endsWith('.json');

const form = (caller: string, params: Record<string, string>, fields: Record<string, string>): Call => ({
  caller,
  params,
  query: '',
  headers: {
    cookie: `__Host-gatehouse-form=${FORM_TOKEN}`,
    origin: '<origin>',
    'content-type': 'application/x-www-form-urlencoded',
  },
  body: Buffer.from(new URLSearchParams({ ...fields, token: FORM_TOKEN }).toString()),
});

/** Forms as the pages send them: chance alone seldom puts all their parts together. */
export const GOOD_FORMS: Record<string, readonly Call[]> = {
  postDecision: [form('olivia', { linkId: '<link>' }, { decision: 'deny', comment: 'as agreed' })],
  postRequestPage: [form('rita', { requestId: '<pending>' }, { action: 'withdraw' })],
  postMembership: [form('rita', { requestId: '<granted>' }, { action: 'leave', sure: 'yes' })],
};

/** Calls of one door. What it takes is read from the door itself, so that a new one is called without a word here. */
export function callsOf(door: Door): fc.Arbitrary<Call> {
  const names = [...door.route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const params = fc.record(
    Object.fromEntries(
      names.map((name) => [
        name,
        fc.oneof(
          { arbitrary: fc.constantFrom(...(TARGETS[name] ?? [randomUUID(), '0'.repeat(32)])), weight: 8 },
          { arbitrary: fc.constantFrom(...GARBAGE), weight: 1 },
        ),
      ]),
    ),
    { noNullPrototype: true },
  );
  const schema = door.api?.body && (z.toJSONSchema(door.api.body, { io: 'input', unrepresentable: 'any' }) as Json);
  const isForm = isPage(door);
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const body: fc.Arbitrary<Buffer | undefined> =
    door.method === 'GET'
      ? fc.constant(undefined)
      : isForm
        ? forms
        : schema === undefined
          ? fc.option(documents({ type: 'object' }), { nil: undefined })
          : documents(schema);
  const typed = fc.oneof(
    { arbitrary: fc.constant<Record<string, string>>({ 'content-type': type }), weight: 12 },
    {
      arbitrary: fc.constantFrom<Record<string, string>>(
        {},
        { 'content-type': `${type}; charset=utf-16` },
        { 'content-type': 'multipart/form-data; boundary=x' },
        { 'content-type': 'text/plain' },
      ),
      weight: 1,
    },
  );
  const formHeaders = fc.oneof(
    { arbitrary: fc.constant({ cookie: `__Host-gatehouse-form=${FORM_TOKEN}`, origin: '<origin>' }), weight: 4 },
    { arbitrary: fc.constantFrom({}, { origin: 'null' }, { origin: 'https://evil.example' }), weight: 1 },
  );
  return fc
    .record({
      caller: callersOf(door),
      params,
      query: anyQuery,
      typed,
      more: anyHeaders,
      form: isForm ? formHeaders : fc.constant({}),
      // a call that a session comes with counts from our own pages only
      from: fc.constantFrom('<origin>', '<origin>', '<origin>', 'https://evil.example', 'null'),
      body,
    })
    .map(({ caller, params: given, query, typed: contentType, more, form, from, body: bytes }) => ({
      caller,
      params: given,
      query,
      headers: {
        ...more,
        ...(!isForm && isSession(caller) && { origin: from }),
        ...form,
        ...(bytes !== undefined && contentType),
      },
      body: bytes,
    }));
}

// ---- the house that is called

const IDS = /[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

interface Targets {
  group: string;
  pending: string;
  granted: string;
  denied: string;
  /** A group change that is over. */
  change: string;
  link: string;
}

/** A house that is fuzzed: it keeps what the calls name in a state of rest, so that every write while a call runs is the call's own. */
export interface FuzzedHouse {
  /** Makes the call and throws where the answer breaks a promise; the sentence holds the whole call. */
  run(door: Door, call: Call): Promise<void>;
  /** Answers by status. */
  readonly statuses: Record<string, number>;
  /** Calls that came to the app's own code. */
  readonly reached: () => number;
  /** Calls with the session of a browser that were answered with a status below 400. */
  readonly takenFromSessions: () => number;
  close(): Promise<void>;
}

export async function openFuzzedHouse(): Promise<FuzzedHouse> {
  const house = await openGroupsHouse({ wires: true });
  const { urls } = house.stack;
  const operations = await asSystem(urls, 'opsTool');
  const olivia = await asPersonWithToken(urls, 'olivia');
  const agent = new Agent({ keepAlive: true });
  const statuses: Record<string, number> = {};
  let reached = 0;
  let takenFromSessions = 0;
  /** Ids whose workflow may still write. */
  const unsettled = new Set<string>();
  const tokens = new Map<string, { token: string; at: number }>();
  const sessions = new Map<Session, string>();
  const cookiesOf = async (caller: Session): Promise<string> => {
    const known = sessions.get(caller) ?? (await signIn(urls, SESSIONS[caller])).browser.cookies();
    sessions.set(caller, known);
    return known;
  };

  const tokenOf = async (caller: string): Promise<string> => {
    const known = tokens.get(caller);
    if (known !== undefined && performance.now() - known.at < 1_200_000) return known.token;
    const isRole = (Object.values(ROLES) as string[]).includes(caller);
    const token = await mintToken(urls, isRole ? { app: 'noRoles', claims: { roles: [caller] } } : { person: caller });
    tokens.set(caller, { token, at: performance.now() });
    return token;
  };

  const newGroup = async (): Promise<string> => {
    const id = randomUUID();
    await house.change({
      type: 'createGroup',
      group: { id, displayName: 'Fuzz', mailNickname: `fuzz-${id.slice(0, 8)}`, owners: [people.olivia.id] },
    });
    return id;
  };
  const atRest = async (id: string, wanted: 'pending' | 'over'): Promise<void> => {
    if (wanted === 'pending') {
      await house.until(id, ({ waitingFor }) => waitingFor?.what === 'decision');
      return;
    }
    await house.untilTold(id);
    // the open row is the last that goes
    await house.until(id, async () => {
      const { json } = await operations.call('GET', '/api/ops/requests?pageSize=100');
      return !(json as { value: { id: string }[] }).value.some((each) => each.id === id);
    });
  };
  const filed = async (decision?: 'approve' | 'deny'): Promise<string> => {
    const group = await newGroup();
    const { json, text } = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
      userId: people.rita.id,
      justification: 'x',
    });
    const { id } = json as { id?: string };
    if (id === undefined) throw new Error(`not filed: ${text}`);
    await atRest(id, 'pending');
    if (decision === undefined) return id;
    await olivia.call('POST', `/api/join-requests/${id}/decision`, { decision });
    await atRest(id, 'over');
    return id;
  };
  const linkOf = async (id: string): Promise<string> => {
    const mail = (await mailsTo(urls, 'olivia')).findLast(({ plainText }) => plainText?.includes(id));
    if (mail === undefined) throw new Error('no mail');
    return linkIn(mail).slice(-22);
  };

  const pending = await filed();
  const targets: Targets = {
    group: await newGroup(),
    pending,
    granted: await filed('approve'),
    denied: await filed('deny'),
    change: (await house.settled(await house.create('rita', wish('Fuzzed')))).id,
    link: await linkOf(pending),
  };
  /** What a call that was taken has changed is replaced by a new one of its kind. */
  const restore = async ({ params }: Call, { text, headers, status }: Answered): Promise<void> => {
    const asked = /\/api\/group-changes\/([0-9a-f]{32})$/.exec(String(headers['location']))?.[1];
    // what it does is over before the next call
    if (status === 202 && asked !== undefined)
      await house.settled({ status, headers: new Headers(), text, json: { id: asked } });
    for (const [id] of `${text} ${String(headers['location'])}`.matchAll(/[0-9a-f]{32}/g)) unsettled.add(id);
    const used = Object.values(params).join(' ');
    if (/<group>/i.test(used)) {
      unsettled.add(targets.group);
      targets.group = await newGroup();
    }
    if (/<pending>|<link>/.test(used)) {
      unsettled.add(targets.pending);
      targets.pending = await filed();
      targets.link = await linkOf(targets.pending);
    }
    if (used.includes('<granted>')) {
      unsettled.add(targets.granted);
      targets.granted = await filed('approve');
    }
    if (used.includes('<denied>')) {
      unsettled.add(targets.denied);
      targets.denied = await filed('deny');
    }
  };

  const resolved = (text: string): string =>
    text
      .replaceAll('<group>', targets.group)
      .replaceAll('<GROUP>', targets.group.toUpperCase())
      .replaceAll('<pending>', targets.pending)
      .replaceAll('<granted>', targets.granted)
      .replaceAll('<denied>', targets.denied)
      .replaceAll('<change>', targets.change)
      .replaceAll('<link>', targets.link)
      .replaceAll('<origin>', new URL(urls.frontDoor).origin);

  const send = async (door: Door, call: Call): Promise<Answered> => {
    const path = `/api/${door.route}`.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
      resolved(call.params[name] ?? ''),
    );
    const headers: Record<string, string> = Object.fromEntries(
      Object.entries(call.headers).map(([name, value]) => [name, resolved(value)]),
    );
    if (isSession(call.caller)) {
      const session = await cookiesOf(call.caller);
      headers['cookie'] = headers['cookie'] === undefined ? session : `${session}; ${headers['cookie']}`;
    } else if (call.caller !== 'nobody') {
      const isKnown = call.caller in people || (Object.values(ROLES) as string[]).includes(call.caller);
      headers['authorization'] = `Bearer ${isKnown ? await tokenOf(call.caller) : call.caller}`;
    }
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(new URL(urls.frontDoor), {
        method: door.method,
        path: path + call.query,
        agent,
        headers,
      });
      outgoing.once('error', reject);
      outgoing.once('response', (answer) => {
        const chunks: Buffer[] = [];
        let first: number | undefined;
        answer.on('data', (chunk: Buffer) => {
          first ??= performance.now();
          chunks.push(chunk);
        });
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
            ms: (STREAMED.has(door.name) ? (first ?? performance.now()) : performance.now()) - started,
          }),
        );
      });
      outgoing.end(call.body);
    });
  };

  // a reconcile that one of the calls started lets groups with too few owners be cared for: dossiers, steps, links and mails by the group's id
  const OF_THE_NIGHT = /\bo_[0-9a-f]{8}-|_care_|"requestId":"[0-9a-f]{8}-/;

  // `quota` and `limits` count what is sent and asked, refused or not; `uncopied`, `operations` and `audit` are what the timers write
  const foreignWrites = async (): Promise<string[]> => {
    const calls = (await (await fetch(`${urls.wireAdmin}/admin/calls`)).json()) as {
      method: string;
      path: string;
      body: string;
    }[];
    return calls
      .filter(
        ({ method, path }) => method !== 'GET' && !/\/(quota|limits|operations|audit|uncopied|Tables)\b/.test(path),
      )
      .filter(({ path, body }) => !path.endsWith('$batch') || !/\/(audit|uncopied)\b/.test(body))
      .map(({ method, path, body }) => `${method} ${decodeURIComponent(path)} ${body}`)
      .filter((text) => ![...text.matchAll(IDS)].some(([id]) => unsettled.has(id)))
      .filter((text) => !OF_THE_NIGHT.test(text))
      .map((text) => text.slice(0, 300));
  };

  const run = async (door: Door, call: Call): Promise<void> => {
    await fetch(`${urls.wireAdmin}/admin/calls`, { method: 'DELETE' });
    let answer = await send(door, call);
    // a slow answer is one that is slow twice: the machine may have been busy with something else
    if (answer.ms >= MOST_MS && (answer.status >= 400 || door.method === 'GET')) answer = await send(door, call);
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    const broken = brokenPromises(door, answer);
    if (answer.headers['x-correlation-id'] !== undefined) reached += 1;
    if (isSession(call.caller) && answer.status < 400) takenFromSessions += 1;
    if (answer.status >= 400 || door.method === 'GET') {
      const written = await foreignWrites();
      if (written.length > 0) broken.push(`it wrote: ${written.join(' | ')}`);
    } else await restore(call, answer);
    if (broken.length === 0) return;
    const logged = answer.status >= 500 ? house.stack.logs('host').slice(-20) : [];
    throw new Error([broken.join('; '), told(door, call, answer), ...logged].join('\n'));
  };

  return {
    run,
    statuses,
    reached: () => reached,
    takenFromSessions: () => takenFromSessions,
    close: async () => {
      agent.destroy();
      await house.stop();
    },
  };
}

const told = (door: Door, call: Call, answer: Answered): string =>
  JSON.stringify(
    {
      door: door.name,
      ...call,
      body: call.body?.toString('latin1').slice(0, 2_000),
      answer: { status: answer.status, ms: Math.round(answer.ms), text: answer.text.slice(0, 1_000) },
    },
    null,
    1,
  );

const problemSchema = z.looseObject({
  type: z.url(),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  correlationId: z.string().min(1),
});

/** What the answer breaks of what every answer promises; empty where it is good. */
export function brokenPromises(door: Door, { status, headers, text, ms }: Answered): string[] {
  const broken: string[] = [];
  const type = String(headers['content-type'] ?? '');
  if (status >= 500) broken.push(`it answered ${String(status)}`);
  if (ms >= MOST_MS) broken.push(`it took ${String(Math.round(ms))} ms`);
  if (/node_modules|\n\s+at .+:\d+:\d+|(?:Type|Range|Syntax|Reference|URI|Rest)Error\b/.test(text))
    broken.push('it shows the inside of the app');
  broken.push(...found([{ where: 'the answer', text: `${JSON.stringify(headers)}\n${text}` }], SECRETS));
  // what the host itself refuses, an undecodable path say, never comes to the app
  if (headers['x-correlation-id'] === undefined) {
    if (status < 400) broken.push('it has no correlation id');
    return broken;
  }
  if (isPage(door)) {
    if (status !== 303 && !type.startsWith('text/html')) broken.push(`a page of type ${type}`);
    if (status !== 303 && !String(headers['content-security-policy']).startsWith("default-src 'none'"))
      broken.push('a page without its policy');
    if (/<script/i.test(text)) broken.push('a page with a script');
  } else if (status >= 400) {
    if (type !== 'application/problem+json') broken.push(`a problem of type ${type}`);
    let problem: unknown;
    try {
      problem = JSON.parse(text);
    } catch {
      problem = undefined;
    }
    const parsed = problemSchema.safeParse(problem);
    if (!parsed.success || parsed.data.status !== status) broken.push('no problem document');
  }
  if (headers['cache-control'] !== 'no-store') broken.push('an answer that may be cached');
  return broken;
}
