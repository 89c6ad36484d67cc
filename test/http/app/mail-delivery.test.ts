import { groups, people } from '../../../local/demo-tenant';
import { mailsTo, mintToken } from '../../../local/stack/actors';
import { ROLES } from '../../../shared/web/tokens';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';

/** The webhook that Event Grid calls, as Event Grid calls it. */
let house: House;
let token: string;

beforeAll(async () => {
  house = await openHouse();
  token = await mintToken(house.stack.urls, { app: 'noRoles', claims: { roles: [ROLES.mailEvents] } });
});
afterAll(() => house.stop());

async function post(body: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(new URL('/api/hooks/mail-delivery', house.stack.urls.frontDoor), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}

const event = (eventType: string, data: unknown) => ({
  id: '4d96b1d4-0001-4f3c-8e2a-000000000000',
  topic: '/subscriptions/x/providers/microsoft.communication/communicationservices/mail',
  subject: 'sender/gatehouse@contoso.example/message/x',
  eventType,
  eventTime: '2026-11-24T10:00:00Z',
  dataVersion: '1.0',
  metadataVersion: '1',
  data,
});
const report = (messageId: string, status: string) =>
  event('Microsoft.Communication.EmailDeliveryReportReceived', {
    sender: 'gatehouse@contoso.example',
    recipient: people.omar.mail,
    messageId,
    status,
    deliveryStatusDetails: { statusMessage: 'mailbox full' },
    deliveryAttemptTimestamp: '2026-11-24T10:00:00Z',
  });

test('the handshake is answered with its code', async () => {
  const answer = await post([
    event('Microsoft.EventGrid.SubscriptionValidationEvent', { validationCode: 'ABC-123', validationUrl: 'https://x' }),
  ]);
  expect(answer).toEqual({ status: 200, json: { validationResponse: 'ABC-123' } });
});

test('what is no delivery report of ours is let go: Event Grid shall not send it for a day', async () => {
  const answers = await Promise.all([
    post([event('Microsoft.Storage.BlobCreated', {})]),
    post([event('Microsoft.Communication.EmailDeliveryReportReceived', { status: 7 })]),
    post([report('00000000-0000-4000-8000-000000000000', 'Bounced')]),
    post([report('../../state', 'Bounced')]),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect((await post({ not: 'a list' })).status).toBe(400);
});

test('a bounce is noted once, however often it is reported; a delivery is nothing to note', async () => {
  const { json } = await house.file('finance', 'rita');
  const { id } = json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event: name }) => name === 'approvers-asked'));
  const asking = (await mailsTo(house.stack.urls, 'omar')).find(({ plainText }) => plainText?.includes(id));
  const { operationId } = asking ?? {};
  if (operationId == null) throw new Error('no mail');
  for (const status of ['Delivered', 'Bounced', 'Bounced'])
    expect((await post([report(operationId, status)])).status).toBe(200);
  const { state, reason, timeline } = await house.untilTold(id);
  expect(timeline.filter(({ event: name }) => name === 'mail-undelivered')).toHaveLength(1);
  // Omar is the only owner, and nobody steps in for him
  expect([state, reason?.rule]).toEqual(['cancelled', 'no-approvers']);
  expect(groups.finance.owners).toEqual(['omar']);
});
