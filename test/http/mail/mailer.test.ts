import { randomUUID } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { generate } from 'selfsigned';

import { acsMailer } from '../../../shared/mail/acs';
import type { Mailer, OutgoingMail } from '../../../shared/mail/mailer';
import { ACCESS_KEY, createIssuer } from '../../unit/local/mail/harness';
import type { ListedMessage } from '../../unit/local/mail/harness';
import { listen } from './service';
import type { Listening } from './service';

/** The app's own mailer, against the mail service. */
let service: Listening;
let mailer: Mailer;
const trusted = getCACertificates('default');

beforeAll(async () => {
  const issuer = await createIssuer();
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  setDefaultCACertificates([...trusted, pem.cert]);
  service = await listen(
    {
      state: ':memory:',
      senderDomains: ['contoso.example'],
      verifyToken: issuer.verify,
      accessKey: ACCESS_KEY,
      acceptDelayMs: 0,
    },
    { key: pem.private, cert: pem.cert },
  );
  mailer = acsMailer({
    endpoint: service.acs,
    sender: 'gatehouse@contoso.example',
    credential: { getToken: async () => ({ token: await issuer.sign(), expiresOnTimestamp: Date.now() + 3_600_000 }) },
    timeoutMs: 10_000,
  });
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await service.close();
});

const mail = (operationId: string, subject: string): OutgoingMail => ({
  operationId,
  to: { name: 'Olga', address: 'olga@contoso.example' },
  subject,
  html: `<p>${subject}</p>`,
  text: subject,
  references: '<r1@contoso.example>',
});

const subjects = async (): Promise<string[]> => {
  const answer = await fetch(`${service.inbox}/api/messages`);
  return ((await answer.json()) as { messages: ListedMessage[] }).messages.map(({ subject }) => subject);
};

test('a mail that two steps hand over in one moment, each with what is true for it, goes once, and neither waits', async () => {
  const id = randomUUID();
  expect(await mailer.send(mail(id, '2 join requests wait for your decision'), { asked: false })).toEqual({
    kind: 'accepted',
  });
  expect(await mailer.send(mail(id, '3 join requests wait for your decision'), { asked: false })).toEqual({
    kind: 'accepted',
  });
  expect(await subjects()).toEqual(['2 join requests wait for your decision']);
});
