import { z } from 'zod';

import { durationMs, parseDuration } from './duration';

const guid = z.guid().transform((id) => id.toLowerCase());

const duration = z
  .string()
  .refine(
    (text) => parseDuration(text) !== undefined,
    'Give an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P14D or PT8H.',
  );

const positiveDuration = duration.refine((text) => (parseDuration(text) ?? 1) > 0, 'Give a duration longer than zero.');

/** Who may decide at a stage. */
const approverSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('owners') }),
  z.strictObject({ kind: z.literal('groupMembers'), groupId: guid }),
  z.strictObject({ kind: z.literal('people'), ids: z.array(guid).min(1).max(50) }),
]);
export type ApproverSource = z.output<typeof approverSource>;

const stage = z.strictObject({
  approvers: z
    .array(approverSource)
    .min(1)
    .max(5)
    .default([{ kind: 'owners' }]),
  /** How many different people must approve (n of those who may decide). */
  required: z.int().min(1).max(10).default(1),
  /** Reminders, each counted from the time the stage's first mail was accepted. */
  reminders: z.array(positiveDuration).max(30).default(['P3D', 'P7D', 'P10D']),
  /** The stage expires this long after its first mail was accepted. */
  deadline: positiveDuration.default('P14D'),
});
export type StagePolicy = z.output<typeof stage>;

/** The rules under which a group's membership is self-service. A request is decided under the policy that it was filed under. */
export const policySchema = z
  .strictObject({
    optedIn: z.boolean().default(false),
    guests: z.boolean().default(false),
    justification: z
      .strictObject({ required: z.boolean().default(true), minimumLength: z.int().min(0).max(500).default(1) })
      .prefault({}),
    stages: z.array(stage).min(1).max(3).prefault([{}]),
    /** Who decides where a stage has nobody. */
    fallbackApprovers: z.array(approverSource).max(5).default([]),
    /** Longest membership that may be asked for; absent: without end. */
    maximumDuration: positiveDuration.optional(),
    /** Given where a request names none; absent: without end, or `maximumDuration`. */
    defaultDuration: positiveDuration.optional(),
  })
  .superRefine((policy, context) => {
    policy.stages.forEach(({ reminders, deadline }, index) => {
      const end = parseDuration(deadline);
      reminders.forEach((reminder, position) => {
        const at = parseDuration(reminder);
        if (at !== undefined && end !== undefined && at >= end) {
          context.addIssue({
            code: 'custom',
            path: ['stages', index, 'reminders', position],
            message: `The reminder at ${reminder} would come at or after the deadline ${deadline}. Remove it or set a later deadline.`,
          });
        }
      });
    });
    const { maximumDuration, defaultDuration } = policy;
    if (
      maximumDuration !== undefined &&
      defaultDuration !== undefined &&
      durationMs(defaultDuration) > durationMs(maximumDuration)
    ) {
      context.addIssue({
        code: 'custom',
        path: ['defaultDuration'],
        message: `The default duration ${defaultDuration} is longer than the maximum ${maximumDuration}.`,
      });
    }
  });
export type Policy = z.output<typeof policySchema>;

/** How long a membership under this policy lasts, where the request asks for `asked`; `undefined` is without end. */
export function grantedDuration(policy: Policy, asked: string | undefined): string | undefined {
  return asked ?? policy.defaultDuration ?? policy.maximumDuration;
}
