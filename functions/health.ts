import { z } from 'zod';

import { checkReadiness } from '../shared/readiness';
import type { Readiness } from '../shared/readiness';
import type { Services } from '../shared/services';
import { ROLES } from '../shared/web/tokens';
import { door, hasRole, json } from './door';

const anyPath = z.record(z.string(), z.string());
const answers = { 200: { description: 'It does.', body: z.object({ status: z.literal('ok') }) } };

/** The process runs and its settings are right. Says nothing of the services behind it. */
const health = door({
  name: 'health',
  method: 'GET',
  route: 'health',
  admits: 'anyone',
  rule: 'Tells nothing but that the app answers.',
  api: { summary: 'Whether the app answers', answers },
  params: anyPath,
  handle: () => Promise.resolve(json(200, { status: 'ok' })),
});

const live = door({
  name: 'live',
  method: 'GET',
  route: 'health/live',
  admits: 'anyone',
  rule: 'Tells nothing but that the app answers.',
  api: { summary: 'The same, by the name that Kubernetes gives it', answers },
  params: anyPath,
  handle: () => Promise.resolve(json(200, { status: 'ok' })),
});

/** Whoever asks while the services are being asked is told the same: many callers are one question. */
let asking: Promise<Readiness> | undefined;
function readiness(services: Services): Promise<Readiness> {
  asking ??= checkReadiness(services).finally(() => {
    asking = undefined;
  });
  return asking;
}

const dependency = z.object({ ok: z.boolean(), ms: z.int() });
const readySchema = z.object({
  status: z.enum(['ready', 'not-ready']),
  dependencies: z.object({ tables: dependency, directory: dependency, mail: dependency, signInKeys: dependency }),
  graphPermissions: z.enum(['as-needed', 'more-than-needed', 'missing', 'unknown']),
  missing: z.array(z.string()).optional().describe('Graph permissions that are missing; told to operations.'),
  excessive: z.array(z.string()).optional().describe('Graph permissions that nothing uses; told to operations.'),
});

const ready = door({
  name: 'ready',
  method: 'GET',
  route: 'health/ready',
  admits: 'anyone',
  rule: 'Anyone is told what answers; which Graph permissions are wrong is told to operations.',
  api: {
    summary: 'Whether the services behind the app answer, each with its time',
    answers: {
      200: { description: 'They do.', body: readySchema },
      503: { description: 'Not all of them do.', body: readySchema },
    },
  },
  params: anyPath,
  handle: async ({ services, caller }) => {
    const { missing, excessive, ...told } = await readiness(services);
    const body = hasRole(caller, ROLES.operations) ? { ...told, missing, excessive } : told;
    return json(told.status === 'ready' ? 200 : 503, body);
  },
});

export const doors = [health, live, ready] as const;
