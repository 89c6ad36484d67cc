import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';

import { BODY_LIMIT, readJson } from '../../../../shared/web/body';

const CHUNK = 16_384;
const anything = z.record(z.string(), z.unknown());

/** A body that comes in chunks for ever, and says how many were taken and whether the rest was let go. */
function endless(): { request: HttpRequest; taken: () => number; isLetGo: () => boolean } {
  let [taken, isLetGo] = [0, false];
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        taken += 1;
        controller.enqueue(new Uint8Array(CHUNK).fill(0x20));
      },
      cancel: () => {
        isLetGo = true;
      },
    },
    { highWaterMark: 0 },
  );
  const headers = new Headers({ 'content-type': 'application/json' });
  return { request: { headers, body } as unknown as HttpRequest, taken: () => taken, isLetGo: () => isLetGo };
}

const given = (text: string, more: Record<string, string> = {}): HttpRequest =>
  new Request('http://localhost/', {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...more },
  }) as unknown as HttpRequest;

test('a body that does not say its length is read no further than is taken', async () => {
  const { request, taken, isLetGo } = endless();
  await expect(readJson(request, anything)).rejects.toMatchObject({ status: 413, type: 'body-too-large' });
  expect(taken()).toBe(BODY_LIMIT / CHUNK + 1);
  expect(isLetGo()).toBe(true);
});

test('the largest body that is taken is read whole, one byte more is none', async () => {
  const padded = (length: number): string => `{"a":"${'x'.repeat(length - 8)}"}`;
  expect((await readJson(given(padded(BODY_LIMIT)), anything)).text).toHaveLength(BODY_LIMIT);
  await expect(readJson(given(padded(BODY_LIMIT + 1)), anything)).rejects.toMatchObject({ status: 413 });
});

test('a body without any says so', async () => {
  const headers = new Headers({ 'content-type': 'application/json' });
  const empty = { headers, body: null } as unknown as HttpRequest;
  await expect(readJson(empty, anything)).rejects.toMatchObject({ status: 400 });
});
