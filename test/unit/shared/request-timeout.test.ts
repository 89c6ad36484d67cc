import type { DurableClient } from 'durable-functions';

import { instances } from '../../../orchestrations/durable';
import { inTime, timeLimited } from '../../../shared/request-timeout';

/** What never answers. */
const never = new Promise<never>(() => undefined);

test('what comes in time is given as it came', async () => {
  await expect(inTime(1_000, 'It', () => Promise.resolve(7))).resolves.toBe(7);
  await expect(inTime(1_000, 'It', () => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});

test('what does not come is given up', async () => {
  await expect(inTime(5, 'It', () => never)).rejects.toThrow('It did not answer in 5 ms');
});

test('a managed identity that does not answer holds nothing up', async () => {
  const credential = timeLimited({ getToken: () => never }, 5);
  await expect(credential.getToken('https://graph.microsoft.com/.default')).rejects.toThrow('The managed identity');
});

test('a durable engine that does not answer holds no call up', async () => {
  const silent = { startNew: () => never, raiseEvent: () => never, getStatus: () => never };
  const durable = instances(silent as unknown as DurableClient, 5);
  await expect(durable.start('joinRequest', 'join-1', {})).rejects.toThrow('The durable engine');
  await expect(durable.raise('join-1', 'changed')).rejects.toThrow('The durable engine');
  await expect(durable.status('join-1')).rejects.toThrow('The durable engine');
});
