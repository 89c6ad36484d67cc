import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { TokenClaims } from './access';

export interface GraphEnv {
  Bindings: HttpBindings;
  Variables: { claims: TokenClaims; requestId: string };
}
export type GraphCall = Context<GraphEnv>;

/** What is wrong with one property, under `details` of an error. */
export interface ProblemDetail {
  code: string;
  target: string;
  message?: string;
  [more: string]: string | undefined;
}

/** An error that Graph answers. */
export class GraphProblem extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
    readonly details?: readonly ProblemDetail[],
  ) {
    super(message);
  }
}

export const badRequest = (message: string): GraphProblem => new GraphProblem(400, 'Request_BadRequest', message);
/** 400 for one property, which `details` names as well. */
export const badProperty = (target: string, code: string, message: string, more: object = {}): GraphProblem =>
  new GraphProblem(400, 'Request_BadRequest', message, {}, [{ code, target, message, ...more }]);
/** Another object has the value already. */
export const conflict = (property: string): GraphProblem =>
  badProperty(
    property,
    'ObjectConflict',
    `Another object with the same value for property ${property} already exists.`,
  );
export const unsupportedQuery = (message: string): GraphProblem =>
  new GraphProblem(400, 'Request_UnsupportedQuery', message);
export const denied = (): GraphProblem =>
  new GraphProblem(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
export const notFound = (id: string): GraphProblem =>
  new GraphProblem(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
/** Nothing of Graph's: the local directory says that it lacks a call, so that a new one can't go unnoticed. */
export const notImplemented = (what: string): GraphProblem =>
  new GraphProblem(501, 'NotImplemented', `The local directory does not implement ${what}.`);

const clientRequestId = (c: GraphCall): string => c.req.header('client-request-id') ?? c.get('requestId');

/** The body that every error of Graph has. */
export function answerProblem(c: GraphCall, problem: GraphProblem): Response {
  const body = {
    error: {
      code: problem.code,
      message: problem.message,
      ...(problem.details !== undefined && { details: problem.details }),
      innerError: {
        date: new Date().toISOString().slice(0, 19),
        'request-id': c.get('requestId'),
        'client-request-id': clientRequestId(c),
      },
    },
  };
  return c.json(body, problem.status, problem.headers);
}

/** Gives each call an id, and tells it in every answer, injected faults included. */
export const requestIds: MiddlewareHandler<GraphEnv> = async (c, next) => {
  c.set('requestId', randomUUID());
  await next();
  c.res.headers.set('request-id', c.get('requestId'));
  c.res.headers.set('client-request-id', clientRequestId(c));
};
