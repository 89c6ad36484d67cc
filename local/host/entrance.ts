import type { IncomingMessage, ServerResponse } from 'node:http';
import { stackOf } from './host-failure';
import { BodyTooLarge, CallerGone, sendStatus, sendTooLarge } from './http-messages';
import type { Log } from './log';
import type { Handler } from './request-handlers';

/** The door of a port: answers 503 until it is told who answers, and 500 for whoever fails to. */
export class Entrance {
  private handler: Handler | undefined;

  constructor(
    private readonly log: Log,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  admitTo(handler: Handler): void {
    this.handler = handler;
  }

  receive(request: IncomingMessage, response: ServerResponse): void {
    if (!this.handler) return sendStatus(response, 503);
    this.handler(request, response).catch((error: unknown) => this.fail(error, request, response));
  }

  private fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (error instanceof BodyTooLarge) return sendTooLarge(request, response);
    if (error instanceof CallerGone) {
      response.destroy();
      return;
    }
    this.log('error', 'Host', stackOf(error));
    if (response.headersSent) response.destroy();
    else sendStatus(response, 500);
    this.onFailure(error);
  }
}
