import type { Mail } from '../../../../local/mail/mail';
import { admin, callerOf, createIssuer, errorOf, letter, listed, newId, openMail, VERSION } from './harness';
import type { Caller, Issuer } from './harness';

interface OperationBody {
  id: string;
  status: string;
  error?: { code: string };
}

let issuer: Issuer;
let mail: Mail;
let caller: Caller;

beforeAll(async () => {
  issuer = await createIssuer();
});
beforeEach(async () => {
  mail = openMail(issuer, { acceptDelayMs: 60_000 });
  caller = await callerOf(mail, issuer);
});
afterEach(async () => {
  jest.useRealTimers();
  await mail.close();
});

const operation = async (response: Response) => (await response.json()) as OperationBody;

describe('an accepted mail', () => {
  it('is answered 202 with the place to ask and the time to wait', async () => {
    const id = newId();
    const response = await caller.send(letter(), { operationId: id });
    expect(response.status).toBe(202);
    expect(response.headers.get('operation-location')).toBe(
      `https://localhost:7077/emails/operations/${id}?${VERSION}`,
    );
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await operation(response)).toEqual({ id, status: 'NotStarted' });
  });

  it('gets an id from the service where the caller gives none', async () => {
    const { id } = await operation(await caller.send(letter()));
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await caller.status(id)).status).toBe(200);
  });

  it('runs, then has succeeded, without a Retry-After once it is over', async () => {
    const { id } = await operation(await caller.send(letter()));
    expect((await operation(await caller.status(id))).status).toBe('Running');
    const last = await caller.status(id);
    expect(last.headers.get('retry-after')).toBeNull();
    expect(await operation(last)).toEqual({ id, status: 'Succeeded' });
  });

  it('has succeeded at the first read once its time is up', async () => {
    const { id } = await operation(await caller.send(letter()));
    jest.useFakeTimers({ now: Date.now() + 60_001, doNotFake: ['setTimeout', 'setImmediate', 'nextTick'] });
    const later = await callerOf(mail, issuer);
    expect((await operation(await later.status(id))).status).toBe('Succeeded');
  });

  it('stands in the inbox with what its recipients see of it', async () => {
    await caller.send(
      letter({
        recipients: {
          to: [{ address: 'owner@contoso.example', displayName: 'Olga "O" Owner' }],
          bcc: [{ address: 'hidden@contoso.example' }],
        },
        replyTo: [{ address: 'help@contoso.example' }],
        headers: { References: '<request-1@contoso.example>', 'Auto-Submitted': 'auto-generated' },
      }),
    );
    const [message] = (await listed(mail, '?to=OWNER@contoso.example')).messages;
    expect(message?.headers).toMatchObject({
      From: 'gatehouse@contoso.example',
      To: '"Olga \\"O\\" Owner" <owner@contoso.example>',
      'Reply-To': 'help@contoso.example',
      Subject: 'Ada asks to join Finance',
      References: '<request-1@contoso.example>',
      'Auto-Submitted': 'auto-generated',
    });
    expect(JSON.stringify(message?.headers)).not.toContain('hidden@');
    expect((await listed(mail, '?to=hidden@contoso.example')).messages).toHaveLength(1);
    expect((await listed(mail, '?to=nobody@contoso.example')).messages).toHaveLength(0);
  });
});

describe('a repeated Operation-Id', () => {
  it('answers the same operation and sends no second mail', async () => {
    const id = newId();
    await caller.send(letter(), { operationId: id });
    const again = await caller.send(letter(), { operationId: id.toUpperCase() });
    expect(again.status).toBe(202);
    expect((await operation(again)).id).toBe(id);
    expect((await listed(mail)).messages).toHaveLength(1);
  });

  it('is refused for another message', async () => {
    const id = newId();
    await caller.send(letter(), { operationId: id });
    const other = letter({ content: { subject: 'Something else', plainText: 'x' } });
    expect(await errorOf(await caller.send(other, { operationId: id }))).toMatchObject({
      status: 409,
      code: 'Conflict',
    });
    expect((await listed(mail)).messages).toHaveLength(1);
  });

  it('sends a second copy once the service has forgotten the first', async () => {
    const id = newId();
    await caller.send(letter(), { operationId: id });
    expect((await admin(mail, 'POST', 'forget', { operationId: id })).status).toBe(204);
    expect(await errorOf(await caller.status(id))).toMatchObject({ status: 404, code: 'NotFound' });
    expect((await listed(mail)).messages).toHaveLength(1);
    expect((await caller.send(letter(), { operationId: id })).status).toBe(202);
    expect((await listed(mail)).messages.map(({ operationId }) => operationId)).toEqual([id, id]);
  });

  it('sends a second copy after the time that settings give operations', async () => {
    await admin(mail, 'PUT', 'settings', { forgetAfterMs: 0 });
    const id = newId();
    await caller.send(letter(), { operationId: id });
    await caller.send(letter(), { operationId: id });
    expect((await listed(mail)).messages).toHaveLength(2);
  });

  it('stays known when the inbox is emptied', async () => {
    const id = newId();
    await caller.send(letter(), { operationId: id });
    expect((await admin(mail, 'DELETE', 'messages')).status).toBe(204);
    await caller.send(letter(), { operationId: id });
    expect((await listed(mail)).messages).toHaveLength(0);
  });
});

describe('the content of a call', () => {
  const many = Array.from({ length: 51 }, (_, n) => ({ address: `p${n}@contoso.example` }));
  const content = { subject: 'S', plainText: 'T' };

  it.each([
    ['no JSON', '{', 400, 'BadRequest', 'not valid JSON'],
    ['no sender', letter({ senderAddress: undefined }), 400, 'BadRequest', "'senderAddress'"],
    [
      'a sender with a display name',
      letter({ senderAddress: 'G <g@contoso.example>' }),
      400,
      'BadRequest',
      "'senderAddress'",
    ],
    [
      'a sender of a domain that is not linked',
      letter({ senderAddress: 'g@fabrikam.example' }),
      404,
      'DomainNotLinked',
      'not been linked',
    ],
    ['no subject', letter({ content: { plainText: 'T' } }), 400, 'BadRequest', "'content.subject'"],
    ['an empty subject', letter({ content: { subject: ' ', plainText: 'T' } }), 400, 'BadRequest', "'content.subject'"],
    [
      'a line break in the subject',
      letter({ content: { subject: 'S\r\nBcc: x@y.example', plainText: 'T' } }),
      400,
      'BadRequest',
      "'content.subject'",
    ],
    ['no text', letter({ content: { subject: 'S', html: '' } }), 400, 'BadRequest', "'content'"],
    ['no recipients', letter({ recipients: { to: [] } }), 400, 'BadRequest', "'recipients'"],
    ['51 recipients', letter({ recipients: { to: many } }), 400, 'BadRequest', "'recipients'"],
    [
      'an address without a domain',
      letter({ recipients: { to: [{ address: 'owner@contoso' }] } }),
      400,
      'BadRequest',
      'Invalid format for email address',
    ],
    [
      'two addresses in one',
      letter({ recipients: { to: [{ address: 'a@b.example,c@d.example' }] } }),
      400,
      'BadRequest',
      'Invalid format for email address',
    ],
    [
      'a header that the service makes',
      letter({ headers: { 'List-Unsubscribe': '<https://x.example>' } }),
      400,
      'BadRequest',
      "'headers'",
    ],
    ['a line break in a header', letter({ headers: { 'X-A': 'a\nBcc: x@y.example' } }), 400, 'BadRequest', "'headers'"],
    [
      'an attachment that is not Base64',
      letter({ content, attachments: [{ name: 'a', contentType: 'text/plain', contentInBase64: '%' }] }),
      400,
      'BadRequest',
      "'attachments.0.contentInBase64'",
    ],
  ])('is refused: %s', async (_name, body, status, code, message) => {
    expect(await errorOf(await caller.send(body))).toEqual({
      status,
      code,
      message: expect.stringContaining(message) as string,
    });
    expect((await listed(mail)).messages).toHaveLength(0);
  });

  it('is delivered once to an address that is named twice', async () => {
    const twice = [{ address: 'owner@contoso.example' }, { address: 'Owner@Contoso.example' }];
    await caller.send(letter({ recipients: { to: twice, bcc: twice } }));
    const [message] = (await listed(mail)).messages;
    expect(message?.recipients).toEqual([
      { address: 'owner@contoso.example', displayName: '', kind: 'to', status: 'Delivered' },
    ]);
  });

  it('passes with fifty recipients in all three lists', async () => {
    const recipients = { to: many.slice(0, 20), cc: many.slice(20, 40), bcc: many.slice(40, 50) };
    expect((await caller.send(letter({ recipients }))).status).toBe(202);
  });

  it('is refused above 10 MB', async () => {
    const big = letter({ content: { subject: 'S', plainText: 'x'.repeat(10 * 1024 * 1024) } });
    expect(await errorOf(await caller.send(big))).toMatchObject({ status: 413 });
  });

  it('is refused with an Operation-Id that is no UUID', async () => {
    expect(await errorOf(await caller.send(letter(), { operationId: 'join-1' }))).toMatchObject({ status: 400 });
  });

  it.each([
    ['', 'MissingApiVersionParameter'],
    ['api-version=2026-12-01', 'UnsupportedApiVersionValue'],
    ['api-version=latest', 'UnsupportedApiVersionValue'],
  ])('is refused with the version "%s"', async (query, code) => {
    expect(await errorOf(await caller.send(letter(), { query }))).toMatchObject({ status: 400, code });
  });

  it.each(['2023-03-31', '2024-07-01-preview', '2025-09-01'])('passes with the version %s', async (version) => {
    const response = await caller.send(letter(), { query: `api-version=${version}` });
    expect(response.headers.get('operation-location')).toContain(`api-version=${version}`);
  });

  it('is not found at another path', async () => {
    expect(await errorOf(await caller.request(`/emails:sent?${VERSION}`, { method: 'POST' }))).toMatchObject({
      status: 404,
    });
    expect(await errorOf(await caller.request(`/emails:send?${VERSION}`))).toMatchObject({ status: 404 });
  });
});

describe('recipients that fail', () => {
  const recipients = (...addresses: string[]) => ({ recipients: { to: addresses.map((address) => ({ address })) } });

  it('bounce without a trace in the operation, as at ACS', async () => {
    await admin(mail, 'PUT', 'settings', { failRecipients: [{ address: 'Gone@contoso.example', outcome: 'bounced' }] });
    const { id } = await operation(
      await caller.send(letter(recipients('gone@contoso.example', 'here@contoso.example'))),
    );
    await caller.status(id);
    expect((await operation(await caller.status(id))).status).toBe('Succeeded');
    expect((await listed(mail)).messages[0]?.status).toBe('Bounced');
    expect((await listed(mail, '?to=here@contoso.example')).messages[0]?.status).toBe('Delivered');
  });

  it('fail the operation where every one of them is suppressed', async () => {
    await admin(mail, 'PUT', 'settings', { failRecipients: [{ pattern: '^gone', outcome: 'suppressed' }] });
    const all = await operation(
      await caller.send(letter(recipients('gone1@contoso.example', 'gone2@contoso.example'))),
    );
    await caller.status(all.id);
    expect(await operation(await caller.status(all.id))).toMatchObject({
      status: 'Failed',
      error: { code: 'EmailDroppedAllRecipientsSuppressed' },
    });
    const some = await operation(
      await caller.send(letter(recipients('gone1@contoso.example', 'here@contoso.example'))),
    );
    await caller.status(some.id);
    expect((await operation(await caller.status(some.id))).status).toBe('Succeeded');
  });

  it('fail the operation where settings say so, and nothing is delivered', async () => {
    await admin(mail, 'PUT', 'settings', { failRecipients: [{ pattern: 'fabrikam', outcome: 'operation-failed' }] });
    const { id } = await operation(await caller.send(letter(recipients('a@fabrikam.example', 'here@contoso.example'))));
    await caller.status(id);
    expect((await operation(await caller.status(id))).status).toBe('Failed');
    expect((await listed(mail)).messages[0]?.status).toBe('NotSent');
  });

  it.each([
    { failRecipients: [{ outcome: 'bounced' }] },
    { failRecipients: [{ pattern: '(', outcome: 'bounced' }] },
    { quota: { perMinute: 0, perHour: 1 } },
    { other: true },
  ])('are refused as settings where they make no sense: %j', async (settings) => {
    expect((await admin(mail, 'PUT', 'settings', settings)).status).toBe(400);
  });
});

describe('the quota', () => {
  const at = (ms: number) => {
    jest.useFakeTimers({ now: ms, doNotFake: ['setTimeout', 'setImmediate', 'nextTick'] });
  };

  it('refuses what is too much for a minute, says for how long, and takes it then', async () => {
    const start = Date.now();
    at(start);
    await admin(mail, 'PUT', 'settings', { quota: { perMinute: 2, perHour: 100 } });
    const patient = await callerOf(mail, issuer);
    expect((await patient.send(letter())).status).toBe(202);
    at(start + 20_000);
    expect((await patient.send(letter())).status).toBe(202);
    at(start + 30_000);
    const refused = await patient.send(letter());
    // The attempt that was refused counts too: there is room when only one of the last two is left.
    expect(refused.headers.get('retry-after')).toBe('50');
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'TooManyRequests' });
    at(start + 80_000);
    expect((await patient.send(letter())).status).toBe(202);
    expect((await listed(mail)).messages).toHaveLength(3);
  });

  it('refuses what is too much for an hour', async () => {
    const start = Date.now();
    await admin(mail, 'PUT', 'settings', { quota: { perMinute: 100, perHour: 1 } });
    at(start);
    const patient = await callerOf(mail, issuer);
    await patient.send(letter());
    at(start + 120_000);
    expect((await patient.send(letter())).headers.get('retry-after')).toBe('3600');
  });

  it('does not count the repeat of an accepted operation', async () => {
    await admin(mail, 'PUT', 'settings', { quota: { perMinute: 1, perHour: 10 } });
    const id = newId();
    await caller.send(letter(), { operationId: id });
    expect((await caller.send(letter(), { operationId: id })).status).toBe(202);
  });

  it('ends when it is taken away, and when the clock is set back', async () => {
    const start = Date.now();
    await admin(mail, 'PUT', 'settings', { quota: { perMinute: 1, perHour: 1 } });
    at(start + 1000);
    const patient = await callerOf(mail, issuer);
    await patient.send(letter());
    at(start);
    expect((await patient.send(letter())).status).toBe(202);
    expect((await patient.send(letter())).status).toBe(429);
    await admin(mail, 'PUT', 'settings', { quota: null });
    expect((await patient.send(letter())).status).toBe(202);
  });
});
