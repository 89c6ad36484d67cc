import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';

/** What goes wrong. `after` faults let the service act and lose its answer; all others keep it from acting. */
const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.string().default(''),
  }),
  z.strictObject({ kind: z.literal('reset'), when: z.enum(['before', 'after']) }),
  z.strictObject({ kind: z.literal('garbage'), status: z.int().min(200).max(599).default(200) }),
  z.strictObject({ kind: z.literal('delay'), ms: z.int().min(0).max(600_000) }),
  /** SIGKILL to a process, before the service acts or after it acted; the caller's connection is then dropped. */
  z.strictObject({ kind: z.literal('kill'), pid: z.int().positive(), when: z.enum(['before', 'after']) }),
]);

export const faultRuleSchema = z.strictObject({
  /** HTTP method, or several as `POST|PUT`; any when absent. */
  method: z.string().optional(),
  /** Regular expression on path and query; any when absent. */
  path: z.string().optional(),
  /** Regular expression on the body, such as that of a batch, whose path says nothing; any when absent. */
  body: z.string().optional(),
  /** Calls that match and pass unharmed before the fault begins. */
  skip: z.int().min(0).default(0),
  /** Calls that are hit; without it all are, until the faults are deleted. */
  times: z.int().min(1).optional(),
  fault: faultSchema,
});
export type FaultRule = z.input<typeof faultRuleSchema>;
type Rule = z.output<typeof faultRuleSchema>;

/** One call that a service received: `status` is 0 where the connection was dropped. */
export interface RecordedCall {
  method: string;
  path: string;
  status: number;
  body: string;
  at: string;
}

export interface Faults {
  /** Put before the service's own routes. */
  middleware: MiddlewareHandler<{ Bindings: HttpBindings }>;
  /** `GET|POST|DELETE /admin/faults`, `GET|DELETE /admin/calls`; for the http listener. */
  admin: Hono;
}

const RECORDED = 20_000;
const TEXT_KEPT = 4_000;

function drop(c: Context<{ Bindings: HttpBindings }>): Response {
  c.env.incoming.socket.destroy();
  return new Response(null, { status: 599 });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It died before: what the fault wants has happened.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Entry {
  rule: Rule;
  path: RegExp | undefined;
  body: RegExp | undefined;
  seen: number;
}

const pattern = (text: string | undefined): RegExp | undefined => (text === undefined ? undefined : new RegExp(text));

const hitsOf = ({ rule: { skip, times = Infinity }, seen }: Entry): number => Math.min(Math.max(seen - skip, 0), times);

/** Fault injection and a record of calls, the same for every service of the stack. */
export function createFaults(): Faults {
  let rules: Entry[] = [];
  let calls: RecordedCall[] = [];

  const next = (method: string, path: string, body: string): Rule['fault'] | undefined => {
    for (const entry of rules) {
      if (entry.rule.method !== undefined && !entry.rule.method.toUpperCase().split('|').includes(method)) continue;
      if (entry.path !== undefined && !entry.path.test(path)) continue;
      if (entry.body !== undefined && !entry.body.test(body)) continue;
      const before = hitsOf(entry);
      entry.seen += 1;
      if (hitsOf(entry) > before) return entry.rule.fault;
    }
    return undefined;
  };

  const middleware: MiddlewareHandler<{ Bindings: HttpBindings }> = async (c, proceed) => {
    const url = new URL(c.req.url);
    const path = url.pathname + url.search;
    const body = c.req.method === 'GET' ? '' : (await c.req.raw.clone().text()).slice(0, TEXT_KEPT);
    const call: RecordedCall = { method: c.req.method, path, status: 0, body, at: new Date().toISOString() };
    calls.push(call);
    if (calls.length > RECORDED) calls.splice(0, RECORDED / 2);

    const fault = next(c.req.method, path, body);
    if (fault?.kind === 'answer') {
      call.status = fault.status;
      return new Response(fault.status === 204 ? null : fault.body, { status: fault.status, headers: fault.headers });
    }
    if (fault?.kind === 'garbage') {
      call.status = fault.status;
      return new Response('\u0000<<not what you asked for', {
        status: fault.status,
        headers: { 'content-type': 'application/json' },
      });
    }
    if (fault?.kind === 'delay') await new Promise((done) => setTimeout(done, fault.ms));
    if (fault?.kind === 'kill' && fault.when === 'before') {
      kill(fault.pid);
      return drop(c);
    }
    if (fault?.kind === 'reset' && fault.when === 'before') return drop(c);
    await proceed();
    if (fault?.kind === 'kill') {
      kill(fault.pid);
      return drop(c);
    }
    if (fault?.kind === 'reset') return drop(c);
    call.status = c.res.status;
    return undefined;
  };

  const admin = new Hono();
  admin.post('/admin/faults', async (c) => {
    const parsed = faultRuleSchema.safeParse(await c.req.json());
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    rules.push({ rule: parsed.data, path: pattern(parsed.data.path), body: pattern(parsed.data.body), seen: 0 });
    return c.body(null, 204);
  });
  admin.get('/admin/faults', (c) => c.json(rules.map((entry) => ({ ...entry.rule, hits: hitsOf(entry) }))));
  admin.delete('/admin/faults', (c) => {
    rules = [];
    return c.body(null, 204);
  });
  admin.get('/admin/calls', (c) => c.json(calls));
  admin.delete('/admin/calls', (c) => {
    calls = [];
    return c.body(null, 204);
  });
  return { middleware, admin };
}
