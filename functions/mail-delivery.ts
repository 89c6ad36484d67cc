import { z } from 'zod';

import { takeReport } from '../shared/join-requests/delivery';
import { readJson } from '../shared/web/body';
import { ROLES } from '../shared/web/tokens';
import { door, json, nudge } from './door';

const VALIDATION = 'Microsoft.EventGrid.SubscriptionValidationEvent';
const REPORT = 'Microsoft.Communication.EmailDeliveryReportReceived';

/** Event Grid schema, one or more events a call (Event Grid documentation, "Event Grid event schema"). */
const eventsBody = z
  .array(z.looseObject({ id: z.string(), eventType: z.string(), data: z.unknown() }))
  .min(1)
  .max(100);

const validationSchema = z.looseObject({ validationCode: z.string().max(200) });
const reportSchema = z.looseObject({
  messageId: z.string(),
  recipient: z.string(),
  status: z.string().max(40),
  deliveryStatusDetails: z.looseObject({ statusMessage: z.string().optional() }).optional(),
});

/**
 * Delivery reports of the mail service. An event that is not what it should be is logged and let go: sent again, it would be the same.
 * What fails for another reason answers 5xx, and Event Grid sends it again.
 */
const receiving = door({
  name: 'receiveMailDelivery',
  method: 'POST',
  route: 'hooks/mail-delivery',
  admits: { people: false, roles: [ROLES.mailEvents] },
  rule: 'Event Grid, as itself.',
  api: {
    summary: 'Delivery reports of Azure Communication Services, by Event Grid',
    body: eventsBody,
    answers: {
      200: {
        description: 'Taken. For a validation event: the answer to it.',
        body: z.object({ validationResponse: z.string().optional() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ request, services, workflows, via, at, log }) => {
    const { value: events } = await readJson(request, eventsBody);
    for (const { id, eventType, data } of events) {
      if (eventType === VALIDATION) {
        const validation = validationSchema.safeParse(data);
        if (validation.success) return json(200, { validationResponse: validation.data.validationCode });
      }
      const report = eventType === REPORT ? reportSchema.safeParse(data) : undefined;
      if (report?.success !== true) {
        log.warn(`An event was let go: it is no delivery report. ${JSON.stringify({ id, eventType }).slice(0, 300)}`);
        continue;
      }
      const { messageId, recipient, status, deliveryStatusDetails } = report.data;
      const detail = deliveryStatusDetails?.statusMessage?.slice(0, 300);
      const woken = await takeReport(
        services,
        { messageId, recipient, status, ...(detail !== undefined && { detail }) },
        via,
        at,
      );
      for (const { kind, id } of woken) await nudge(log, () => workflows[kind].wake(id));
    }
    return json(200, {});
  },
});

export const doors = [receiving] as const;
