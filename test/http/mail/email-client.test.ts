import { randomUUID } from 'node:crypto';
import { EmailClient } from '@azure/communication-email';
import type { EmailClientOptions, EmailMessage } from '@azure/communication-email';
import { generate } from 'selfsigned';
import { ACCESS_KEY, createIssuer } from '../../unit/local/mail/harness';
import type { Issuer, ListedMessage } from '../../unit/local/mail/harness';
import { listen } from './service';
import type { Listening } from './service';

let issuer: Issuer;
let ca: string;
let service: Listening;

beforeAll(async () => {
  issuer = await createIssuer();
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  ca = pem.cert;
  service = await listen(
    {
      state: ':memory:',
      senderDomains: ['contoso.example'],
      verifyToken: issuer.verify,
      accessKey: ACCESS_KEY,
      acceptDelayMs: 60_000,
    },
    { key: pem.private, cert: pem.cert },
  );
});
afterAll(() => service.close());
afterEach(async () => {
  await fetch(`${service.inbox}/admin/messages`, { method: 'DELETE' });
  await fetch(`${service.inbox}/admin/faults`, { method: 'DELETE' });
  await put({ quota: null, failRecipients: [], forgetAfterMs: null });
});

const put = (settings: unknown) =>
  fetch(`${service.inbox}/admin/settings`, { method: 'PUT', body: JSON.stringify(settings) });
const post = (path: string, body: unknown) =>
  fetch(`${service.inbox}/admin/${path}`, { method: 'POST', body: JSON.stringify(body) });

const options = (): EmailClientOptions => ({ tlsOptions: { ca }, retryOptions: { retryDelayInMs: 10 } });
const withToken = (more: EmailClientOptions = {}) =>
  new EmailClient(
    service.acs,
    { getToken: async () => ({ token: await issuer.sign(), expiresOnTimestamp: Date.now() + 3_600_000 }) },
    { ...options(), ...more },
  );
const withKey = (key = ACCESS_KEY) => new EmailClient(`endpoint=${service.acs}/;accesskey=${key}`, options());

const letter = (subject = 'Ada asks to join Finance'): EmailMessage => ({
  senderAddress: 'gatehouse@contoso.example',
  content: { subject, plainText: 'Täxt', html: '<p>Täxt</p>' },
  recipients: { to: [{ address: 'owner@contoso.example', displayName: 'Olga' }] },
  headers: { References: '<r1@contoso.example>' },
  disableUserEngagementTracking: true,
});
const inbox = async (): Promise<ListedMessage[]> => {
  const response = await fetch(`${service.inbox}/api/messages`);
  return ((await response.json()) as { messages: ListedMessage[] }).messages;
};

describe('the EmailClient of the SDK', () => {
  it('sends with an Entra token and sees the operation through', async () => {
    const poller = await withToken().beginSend(letter(), { operationId: randomUUID() });
    expect(poller.isDone()).toBe(false);
    expect(await poller.pollUntilDone()).toMatchObject({ status: 'Succeeded' });
    expect(await inbox()).toMatchObject([
      { subject: 'Ada asks to join Finance', plainText: 'Täxt', headers: { References: '<r1@contoso.example>' } },
    ]);
  });

  it('sends with a connection string, its polls signed as well', async () => {
    const poller = await withKey().beginSend(letter());
    expect(await poller.pollUntilDone()).toMatchObject({ status: 'Succeeded' });
    expect(await inbox()).toHaveLength(1);
  });

  it('is denied with a wrong key', async () => {
    const wrong = withKey(Buffer.from('wrong').toString('base64'));
    await expect(wrong.beginSend(letter())).rejects.toMatchObject({ code: 'Denied', statusCode: 401 });
  });

  it('is told in its own words what is wrong', async () => {
    const foreign = { ...letter(), senderAddress: 'gatehouse@fabrikam.example' };
    await expect(withToken().beginSend(foreign)).rejects.toMatchObject({ code: 'DomainNotLinked', statusCode: 404 });
  });

  it('sends one mail when its answer is lost and it tries again with the same id', async () => {
    await post('faults', { method: 'POST', path: '^/emails:send', times: 1, fault: { kind: 'reset', when: 'after' } });
    const poller = await withToken().beginSend(letter(), { operationId: randomUUID() });
    await poller.pollUntilDone();
    expect(await inbox()).toHaveLength(1);
    const calls = (await (await fetch(`${service.inbox}/admin/calls`)).json()) as { path: string; status: number }[];
    expect(
      calls
        .filter(({ path }) => path.startsWith('/emails:send'))
        .slice(-2)
        .map(({ status }) => status),
    ).toEqual([0, 202]);
  });

  it('sends two when the service forgot the first', async () => {
    const operationId = randomUUID();
    await withToken().beginSend(letter(), { operationId });
    await post('forget', { operationId });
    await withToken().beginSend(letter(), { operationId });
    expect(await inbox()).toHaveLength(2);
  });

  it('is refused a used id for another message', async () => {
    const operationId = randomUUID();
    await withToken().beginSend(letter(), { operationId });
    await expect(withToken().beginSend(letter('Other'), { operationId })).rejects.toMatchObject({ statusCode: 409 });
  });

  it('is held to the quota', async () => {
    await put({ quota: { perMinute: 1, perHour: 10 } });
    const once = withToken({ retryOptions: { maxRetries: 0 } });
    await once.beginSend(letter());
    const refusal: unknown = await once.beginSend(letter()).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'TooManyRequests', statusCode: 429 });
    const { response } = refusal as { response: { headers: { get: (name: string) => string | undefined } } };
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(59);
  });

  it('learns of an operation that failed', async () => {
    await put({ failRecipients: [{ address: 'owner@contoso.example', outcome: 'suppressed' }] });
    const poller = await withToken().beginSend(letter());
    await expect(poller.pollUntilDone()).rejects.toThrow('EmailDroppedAllRecipientsSuppressed');
  });
});
