import { z } from 'zod';

import { door, json } from './door';

/** The process runs and its settings are right. Says nothing of the services behind it. */
const health = door({
  name: 'health',
  method: 'GET',
  route: 'health',
  admits: 'anyone',
  rule: 'Tells nothing but that the app answers.',
  api: {
    summary: 'Whether the app answers',
    answers: { 200: { description: 'It does.', body: z.object({ status: z.literal('ok') }) } },
  },
  params: z.record(z.string(), z.string()),
  handle: () => Promise.resolve(json(200, { status: 'ok' })),
});

export const doors = [health] as const;
