import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { createFaults } from '../faults';
import { createAcs } from './acs';
import type { Credentials } from './authentication';
import { DeliveryReports } from './delivery-reports';
import type { DeliveryEvents } from './delivery-reports';
import { createInbox } from './inbox';
import type { Quota } from './settings';
import { Store } from './store';

export interface MailOptions extends Credentials {
  /** Path of `mail.db`, or `:memory:`. */
  state: string;
  /** Domains that are linked to the service, so that mail may be sent from them. */
  senderDomains: readonly string[];
  /** Origin of the https listener, for `Operation-Location`. */
  acsBase: () => string;
  /** Until `PUT /admin/settings` says otherwise; without it there is no limit. */
  quota?: Quota | undefined;
  /** An operation is over after its second status read, or this many ms after it was accepted. 2 s unless told. */
  acceptDelayMs?: number | undefined;
  /** Where delivery reports go; without it none are made. */
  deliveryEvents?: DeliveryEvents | undefined;
}

export interface Mail {
  /** Azure Communication Services Email; for the https listener. */
  acs: Hono<{ Bindings: HttpBindings }>;
  /** Pages, JSON and admin calls; for the http listener. */
  inbox: Hono<{ Bindings: HttpBindings }>;
  /** Lets the report under way finish or break off, and closes the state. */
  close: () => Promise<void>;
}

/** The local mail service: takes mail as Azure Communication Services does and keeps it in an inbox. */
export function createMail(options: MailOptions): Mail {
  const store = new Store(options.state, { quota: options.quota ?? null, failRecipients: [], forgetAfterMs: null });
  const faults = createFaults();
  const reports = options.deliveryEvents && new DeliveryReports(store, options.deliveryEvents);
  const acs = createAcs(
    {
      store,
      verifyToken: options.verifyToken,
      accessKey: options.accessKey,
      senderDomains: options.senderDomains,
      acsBase: options.acsBase,
      acceptDelayMs: options.acceptDelayMs ?? 2000,
      reports: reports !== undefined,
      onAccepted: () => reports?.kick(),
    },
    faults.middleware,
  );
  const inbox = createInbox(store, () => reports?.lastProblem, faults.admin);
  reports?.kick();
  return {
    acs,
    inbox,
    close: async () => {
      await reports?.close();
      store.close();
    },
  };
}
