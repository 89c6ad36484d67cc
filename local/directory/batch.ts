import { Hono } from 'hono';
import { z } from 'zod';
import { GraphProblem } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { answerData, bodyOf } from './query';

const stepSchema = z.object({
  id: z.string().min(1),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  url: z.string().startsWith('/'),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
  dependsOn: z.array(z.string()).default([]),
});
type Step = z.output<typeof stepSchema>;

interface Outcome {
  id: string;
  status: number;
  headers: Record<string, string>;
  body?: unknown;
}

// Inside a batch names of headers are JSON, and clients look for them as Graph writes them.
const written: Record<string, string> = {
  'content-type': 'Content-Type',
  'retry-after': 'Retry-After',
  location: 'Location',
};

const STEPS_AT_ONCE = 20;

type Dispatch = (request: Request, env: GraphCall['env']) => Response | Promise<Response>;

const malformed = (message: string): GraphProblem => new GraphProblem(400, 'BadRequest', message);

function checkSteps(steps: readonly Step[]): void {
  if (steps.length > STEPS_AT_ONCE) {
    throw malformed(`Number of batch request steps exceeds the maximum value of ${STEPS_AT_ONCE}.`);
  }
  const earlier = new Set<string>();
  for (const step of steps) {
    if (earlier.has(step.id)) throw malformed(`Request Id (${step.id}) is not unique in the batch.`);
    const unknown = step.dependsOn.find((id) => !earlier.has(id));
    if (unknown !== undefined)
      throw malformed(`Request '${step.id}' depends on '${unknown}', which does not precede it.`);
    if (step.url.startsWith('/$batch')) throw malformed('Batch requests cannot be nested.');
    earlier.add(step.id);
  }
}

async function run(c: GraphCall, step: Step, dispatch: Dispatch): Promise<Outcome> {
  const headers = new Headers(step.headers);
  headers.set('authorization', c.req.header('authorization') ?? '');
  const sent = step.body !== undefined;
  if (sent && !headers.has('content-type')) throw malformed('Content-Type header is required when a body is given.');
  const response = await dispatch(
    new Request(new URL(`/v1.0${step.url}`, c.req.url), {
      method: step.method,
      headers,
      ...(sent && { body: JSON.stringify(step.body) }),
    }),
    c.env,
  );
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    id: step.id,
    status: response.status,
    headers: Object.fromEntries([...response.headers].map(([name, value]) => [written[name] ?? name, value])),
    ...(text !== '' && { body: isJson ? (JSON.parse(text) as unknown) : text }),
  };
}

const failedDependency = (id: string): Outcome => ({
  id,
  status: 424,
  headers: {},
  body: { error: { code: 'FailedDependency', message: 'A request on which this one depends failed.' } },
});

/** `POST /$batch`: each step passes through the whole service, its faults included. */
export function batch(dispatch: Dispatch): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  app.post('/$batch', async (c) => {
    const { requests } = await bodyOf(c, z.object({ requests: z.array(stepSchema).min(1) }));
    checkSteps(requests);
    const outcomes = new Map<string, Outcome>();
    for (const step of requests) {
      const failed = step.dependsOn.some((id) => (outcomes.get(id)?.status ?? 500) >= 400);
      outcomes.set(step.id, failed ? failedDependency(step.id) : await run(c, step, dispatch));
    }
    return answerData(c, { responses: [...outcomes.values()] });
  });
  return app;
}
