import { randomUUID } from 'node:crypto';

import { app } from '@azure/functions';
import type { HttpHandler, HttpMethod, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { z } from 'zod';

import { instances } from '../orchestrations/durable';
import { grantWorkflows } from '../orchestrations/grant';
import { joinWorkflows } from '../orchestrations/join-request';
import type { Workflows } from '../orchestrations/sweeper';
import { DirectoryRefused, DirectoryUnavailable } from '../shared/directory/directory';
import type { Actor } from '../shared/domain/join-request';
import { services } from '../shared/services';
import type { Services } from '../shared/services';
import { identify } from '../shared/web/caller';
import { fieldErrors, Problem, problems } from '../shared/web/problem';
import { TokenRejected, TokensUnavailable } from '../shared/web/tokens';
import type { Caller } from '../shared/web/tokens';

/** Who may come through a door at all; the handler holds what depends on the object. */
export type Admits =
  /** Health, the API's description, pages that tell nothing before sign-in. */
  | 'anyone'
  /** A person, or an app with one of the roles. */
  | { people: boolean; roles: readonly string[] };

/** What a handler works with. */
export interface Visit<Params> {
  request: HttpRequest;
  params: Params;
  caller: Caller;
  services: Services;
  workflows: Workflows;
  /** `POST /api/groups/{groupId}/join-requests`: named in the trail. */
  route: string;
  at: Date;
  correlationId: string;
  log: InvocationContext;
}

/** How the API's description presents a door. */
export interface Described {
  summary: string;
  body?: z.ZodType;
  query?: z.ZodType;
  headers?: Record<string, string>;
  answers: Record<number, { description: string; body?: z.ZodType }>;
}

/** One row of the route table. */
export interface RouteRow {
  name: string;
  method: HttpMethod;
  route: string;
  admits: Admits;
  /** Object-level rule, in words; the test of the route table reads it. */
  rule: string;
  /** Absent for pages. */
  api?: Described;
}

interface DoorDefinition<Params> extends RouteRow {
  params: z.ZodType<Params>;
  /** Pages answer problems as pages, everything else as problem details. */
  page?: (problem: Problem) => HttpResponseInit;
  handle: (visit: Visit<Params>) => Promise<HttpResponseInit>;
}

const durableClient = df.input.durableClient();

function admit(caller: Caller, admits: Admits): void {
  if (admits === 'anyone') return;
  if (caller.kind === 'nobody') throw problems.unauthenticated('there was none');
  if (caller.kind === 'person' && admits.people) return;
  if (!caller.roles.some((role) => admits.roles.includes(role))) {
    throw problems.forbidden(
      `This needs ${admits.people ? 'a person’s token, or ' : ''}one of the app roles ${admits.roles.join(', ')}.`,
    );
  }
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TokenRejected) return problems.unauthenticated(`this one was not accepted: ${error.message}`);
  if (error instanceof TokensUnavailable)
    return problems.unavailable('The signing keys of Microsoft Entra ID can’t be read now.');
  if (error instanceof DirectoryUnavailable)
    return problems.unavailable(
      'Microsoft Graph does not answer now. Nothing was changed.',
      Math.ceil((error.retryAfterMs ?? 5_000) / 1_000),
    );
  if (error instanceof DirectoryRefused)
    return problems.unavailable(
      'Microsoft Graph refuses this. Operations must look at the permissions of Gatehouse.',
      60,
    );
  return new Problem(
    500,
    'internal',
    'Something went wrong here',
    'It was logged under the correlation id. Try again; if it stays, tell operations.',
  );
}

// A caller may bring its own correlation id; anything but a plain token is replaced, so that it can't write into the log.
const correlation = (request: HttpRequest): string => {
  const given = request.headers.get('x-correlation-id');
  return given !== null && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
};

/** A door with its handler: what the route table is made of. */
export interface Door extends RouteRow {
  params: z.ZodType;
  handler: HttpHandler;
}

/** The only way a door is made: correlation id, who is calling, may they, then the handler; every error becomes an answer. */
export function door<Params>(definition: DoorDefinition<Params>): Door {
  return { ...definition, handler: handlerOf(definition) };
}

function handlerOf<Params>(door: DoorDefinition<Params>): HttpHandler {
  const route = `${door.method} /api/${door.route}`;
  return async (request, log) => {
    const correlationId = correlation(request);
    const answered = (response: HttpResponseInit): HttpResponseInit => ({
      ...response,
      headers: { ...response.headers, 'x-correlation-id': correlationId },
    });
    let known: Services | undefined;
    try {
      known = services();
      const caller = await identify(request.headers, known.config, known.tokens, (message) => {
        log.warn(message);
      });
      admit(caller, door.admits);
      const params = door.params.safeParse(request.params);
      if (!params.success) throw problems.badRequest(fieldErrors(params.error));
      const durable = instances(df.getClient(log));
      const workflows = { join: joinWorkflows(durable), grant: grantWorkflows(durable) };
      return answered(
        await door.handle({
          request,
          params: params.data,
          caller,
          services: known,
          workflows,
          route,
          at: new Date(),
          correlationId,
          log,
        }),
      );
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500)
        log.error(
          `${route} ${correlationId}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      if (known !== undefined && door.page !== undefined) return answered(door.page(problem));
      return answered(problem.response(known?.config.PUBLIC_BASE_URL ?? '', correlationId));
    }
  };
}

/** Registers the door with the Functions host. */
export function open(door: Door): void {
  app.http(door.name, {
    route: door.route,
    methods: [door.method],
    // who may call is checked in code, above: platform keys are secrets that many share
    authLevel: 'anonymous',
    extraInputs: [durableClient],
    handler: door.handler,
  });
}

/** The caller as the trail names them. */
export function actorOf(caller: Caller): Actor & { kind: 'person' | 'app' } {
  if (caller.kind === 'nobody') throw problems.unauthenticated('there was none');
  return { kind: caller.kind, id: caller.id, ...(caller.kind === 'person' && { name: caller.name }) };
}

export const hasRole = (caller: Caller, role: string): boolean =>
  caller.kind !== 'nobody' && caller.roles.includes(role);

/** JSON that no cache keeps. */
export const json = (status: number, body: unknown, headers: Record<string, string> = {}): HttpResponseInit => ({
  status,
  headers: { 'cache-control': 'no-store', ...headers },
  jsonBody: body,
});

/** Lets the workflow go on. A wake-up that gets lost is made up for by the sweeper, so the caller's answer does not depend on it. */
export async function nudge(log: InvocationContext, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn(`The workflow could not be woken; the sweeper will: ${String(error)}`);
  }
}
