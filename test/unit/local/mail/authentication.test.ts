import type { Mail } from '../../../../local/mail/mail';
import { ACCESS_KEY, ACS, VERSION, createIssuer, errorOf, letter, listed, openMail, signed } from './harness';
import type { Issuer } from './harness';

const PATH = `/emails:send?${VERSION}`;
let issuer: Issuer;
let mail: Mail;

beforeAll(async () => {
  issuer = await createIssuer();
});
beforeEach(() => {
  mail = openMail(issuer);
});
afterEach(() => mail.close());

const sendWith = (authorization: string | undefined) =>
  mail.acs.request(ACS + PATH, {
    method: 'POST',
    body: JSON.stringify(letter()),
    headers: authorization === undefined ? {} : { authorization },
  });

async function expectDenied(response: Response, message = 'Denied by the resource provider.') {
  expect(await errorOf(response)).toEqual({ status: 401, code: 'Denied', message });
  expect((await listed(mail)).messages).toHaveLength(0);
}

describe('a call with an Entra token', () => {
  it.each(['https://communication.azure.com', 'https://communication.azure.com/'])(
    'passes with the audience %s',
    async (aud) => {
      expect((await sendWith(`Bearer ${await issuer.sign({ aud })}`)).status).toBe(202);
    },
  );

  it('is denied with the audience of another service', async () => {
    await expectDenied(await sendWith(`Bearer ${await issuer.sign({ aud: 'https://graph.microsoft.com' })}`));
  });

  it('is denied when the token has expired', async () => {
    await expectDenied(await sendWith(`Bearer ${await issuer.sign({ exp: Math.floor(Date.now() / 1000) - 1 })}`));
  });

  it('is denied when another issuer signed it', async () => {
    const other = await createIssuer();
    await expectDenied(await sendWith(`Bearer ${await other.sign()}`));
  });

  it.each([undefined, 'Bearer ', 'Bearer nonsense', 'Basic eDp5'])('is denied with %j in its place', async (header) => {
    await expectDenied(await sendWith(header));
  });

  it('is needed for reading an operation too', async () => {
    await expectDenied(await mail.acs.request(`${ACS}/emails/operations/${crypto.randomUUID()}?${VERSION}`));
  });
});

describe('a call with a signature', () => {
  const body = JSON.stringify(letter());
  const send = (changes: Parameters<typeof signed>[2] = {}, sent = body) =>
    mail.acs.request(ACS + PATH, { ...signed(PATH, body, changes), body: sent });

  it('passes when all of it is right', async () => {
    expect((await send()).status).toBe(202);
  });

  it('is denied with another key', async () => {
    await expectDenied(await send({ key: Buffer.from('another key').toString('base64') }));
  });

  it('is denied for another path', async () => {
    await expectDenied(await mail.acs.request(`${ACS}/emails:send?api-version=2023-03-31`, signed(PATH, body)));
  });

  it('is denied for another host', async () => {
    await expectDenied(await mail.acs.request(`https://other.example${PATH}`, signed(PATH, body)));
  });

  it('is denied when the body was changed after signing', async () => {
    await expectDenied(
      await send({}, body.replace('Finance', 'Payroll')),
      "Request 'x-ms-content-sha256' differs from generated content hash.",
    );
  });

  it.each([-6, 6])('is denied when its date is off by %d minutes', async (minutes) => {
    const response = await send({ date: new Date(Date.now() + minutes * 60_000) });
    await expectDenied(response, expect.stringContaining('time difference') as string);
  });

  it('is denied where the service has no access key', async () => {
    await mail.close();
    mail = openMail(issuer, { accessKey: undefined });
    expect(ACCESS_KEY).not.toBe('');
    await expectDenied(await send());
  });
});
