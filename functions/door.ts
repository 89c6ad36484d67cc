import { randomUUID } from 'node:crypto';

import { app } from '@azure/functions';
import type { HttpHandler, HttpMethod, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { z } from 'zod';

import { instances } from '../orchestrations/durable';
import { grantWorkflows } from '../orchestrations/grant';
import { changeWorkflows } from '../orchestrations/group-change';
import { lifeWorkflows } from '../orchestrations/group-life';
import { joinWorkflows } from '../orchestrations/join-request';
import { careWorkflows } from '../orchestrations/ownerless';
import { reconcileWorkflow } from '../orchestrations/reconcile';
import type { ReconcileWorkflow } from '../orchestrations/reconcile';
import type { Workflows } from '../orchestrations/sweeper';
import { originOf } from '../shared/audit/origin';
import { DirectoryRefused, DirectoryUnavailable } from '../shared/directory/directory';
import type { Actor } from '../shared/domain/join-request';
import { FeatureOff } from '../shared/group-changes/features';
import { services } from '../shared/services';
import type { Services } from '../shared/services';
import type { Via } from '../shared/records/join-requests';
import { Conflict } from '../shared/records/tables';
import { within } from '../shared/telemetry';
import { identify } from '../shared/web/caller';
import { isOurOrigin } from '../shared/web/form-token';
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
  workflows: Workflows & { reconcile: ReconcileWorkflow };
  /** The door, as `POST /api/groups/{groupId}/join-requests`, and where the call came from: named in the trail. */
  via: Via;
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
    throw problems.forbidden(`This needs ${needed(admits)}.`);
  }
}

/** The service answered with an error, or not in time. */
const isStorageError = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'RestError' || error.name === 'AbortError');

function needed({ people, roles }: Exclude<Admits, string>): string {
  const role = roles.length === 1 ? `the app role ${String(roles[0])}` : `one of the app roles ${roles.join(', ')}`;
  if (!people) return role;
  return roles.length === 0 ? 'a person’s token' : `a person’s token, or ${role}`;
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
  if (error instanceof FeatureOff)
    return new Problem(501, 'feature-off', 'This is not switched on here', error.sentence, {
      with: { permission: error.permission },
    });
  if (error instanceof Conflict || isStorageError(error))
    return problems.unavailable(
      'The storage does not answer now, or somebody else changed the same at this moment. Try again.',
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
      const present = services();
      known = present;
      const caller = await identify(request.headers, present.config, present.tokens, (message) => {
        log.warn(message);
      });
      admit(caller, door.admits);
      // a browser sends its session along whoever made it call; our pages check their own forms
      const isSession = caller.kind === 'person' && caller.via === 'session';
      if (
        isSession &&
        door.method !== 'GET' &&
        door.page === undefined &&
        !isOurOrigin(request.headers, present.config.PUBLIC_BASE_URL)
      )
        throw problems.forbidden('A call with a browser’s session must come from our own pages. Send a token instead.');
      const params = door.params.safeParse(request.params);
      if (!params.success) throw problems.badRequest(fieldErrors(params.error));
      const durable = instances(df.getClient(log), present.config.CALL_TIMEOUT);
      const from = originOf(request.headers, present.config.TENANT_ID);
      const workflows = {
        join: joinWorkflows(durable),
        grant: grantWorkflows(durable),
        change: changeWorkflows(durable),
        life: lifeWorkflows(durable),
        care: careWorkflows(durable),
        reconcile: reconcileWorkflow(durable),
      };
      return answered(
        await within(log, () =>
          door.handle({
            request,
            params: params.data,
            caller,
            services: present,
            workflows,
            via: { route, from },
            at: new Date(),
            correlationId,
            log,
          }),
        ),
      );
    } catch (error) {
      const problem = toProblem(error);
      // what is switched off says so; nothing went wrong
      if (problem.status >= 500 && problem.status !== 501)
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
    // a gateway that asks by HEAD whether a link lives gets the answer of GET without its body
    methods: door.method === 'GET' ? ['GET', 'HEAD'] : [door.method],
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
