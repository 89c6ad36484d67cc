import { z } from 'zod';

const quotaSchema = z.strictObject({ perMinute: z.int().min(1), perHour: z.int().min(1) });
/** Mails that ACS takes from a subscription; rejected attempts count as well. */
export type Quota = z.output<typeof quotaSchema>;

const outcomeSchema = z.enum(['bounced', 'suppressed', 'quarantined', 'filteredSpam', 'failed', 'operation-failed']);

const rule = z.union([
  z.strictObject({ address: z.string(), outcome: outcomeSchema }),
  z.strictObject({ pattern: z.string().refine(isPattern, 'not a regular expression'), outcome: outcomeSchema }),
]);

/** Body of `PUT /admin/settings`; what is absent stays as it is, `null` takes a setting away. */
export const settingsChangeSchema = z.strictObject({
  quota: quotaSchema.nullable().optional(),
  failRecipients: z.array(rule).optional(),
  forgetAfterMs: z.int().min(0).nullable().optional(),
});

export const settingsSchema = settingsChangeSchema.required();
export type Settings = z.output<typeof settingsSchema>;

/** `status` of a delivery report, or `NotSent` where the operation failed and no report is made. */
export type DeliveryStatus =
  'Delivered' | 'Bounced' | 'Suppressed' | 'Quarantined' | 'FilteredSpam' | 'Failed' | 'NotSent';

const STATUS: Record<z.output<typeof outcomeSchema>, DeliveryStatus> = {
  bounced: 'Bounced',
  suppressed: 'Suppressed',
  quarantined: 'Quarantined',
  filteredSpam: 'FilteredSpam',
  failed: 'Failed',
  'operation-failed': 'NotSent',
};

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp;
  } catch {
    return false;
  }
}

/** Body of `PUT /admin/recipients/{address}`. */
export const recipientOutcomeSchema = z.strictObject({ outcome: z.union([outcomeSchema, z.literal('delivered')]) });
type RecipientOutcome = z.output<typeof recipientOutcomeSchema>['outcome'];

/** The settings with a rule for one address, before all others, or without the one it had (`delivered`). */
export function withRecipient(settings: Settings, address: string, outcome: RecipientOutcome): Settings {
  const others = settings.failRecipients.filter(
    (entry) => !('address' in entry) || entry.address.toLowerCase() !== address.toLowerCase(),
  );
  return { ...settings, failRecipients: outcome === 'delivered' ? others : [{ address, outcome }, ...others] };
}

/** What becomes of a mail to `address`: the first rule that fits, delivered where none does. */
export function outcomeFor(address: string, { failRecipients }: Settings): DeliveryStatus {
  const hit = failRecipients.find((entry) =>
    'address' in entry
      ? entry.address.toLowerCase() === address.toLowerCase()
      : new RegExp(entry.pattern, 'i').test(address),
  );
  return hit === undefined ? 'Delivered' : STATUS[hit.outcome];
}
