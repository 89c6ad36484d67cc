import { z } from 'zod';

import { parseDuration } from './duration';
import type { GroupKind } from './group-change';
import { lifetimePolicySchema } from './group-lifetime';
import { RESERVED_NAMES } from './names';
import { approverSource, groupId, positiveDuration } from './policy';
import type { Named } from './policy';

const deciders = z
  .array(approverSource, 'Give a list of approvers.')
  .max(5, 'Name at most five kinds of approvers.')
  .superRefine((sources, context) => {
    sources.forEach(({ kind }, index) => {
      if (kind !== 'owners') return;
      const message = 'The group has no owners yet who could decide. Name people, a group’s members, or the manager.';
      context.addIssue({ code: 'custom', path: [index, 'kind'], message });
    });
  });

const approval = z
  .strictObject({
    /** Who decides on a creation; the first decision counts. */
    approvers: deciders.min(1, 'Name at least one kind of approvers.'),
    /** Each counted from the time the first mail was accepted. */
    reminders: z.array(positiveDuration).max(30, 'Give at most 30 reminders.').default(['P3D', 'P7D', 'P10D']),
    deadline: positiveDuration.default('P14D'),
  })
  .superRefine(({ reminders, deadline }, context) => {
    const end = parseDuration(deadline) ?? Infinity;
    reminders.forEach((reminder, index) => {
      if ((parseDuration(reminder) ?? 0) < end) return;
      const message = `The reminder at ${reminder} would come at or after the deadline ${deadline}. Remove it or set a later deadline.`;
      context.addIssue({ code: 'custom', path: ['reminders', index], message });
    });
  });

const ofKind = z
  .strictObject({
    /** Whether groups of this kind may be created at all. */
    allowed: z.boolean().default(true),
    /** Only members of one of these groups may, directly or through another group; absent: everyone. Guests never may. */
    membersOf: z.array(groupId).min(1).max(20).optional(),
    /** Absent: nobody is asked. */
    approval: approval.optional(),
    /** The group must have a second owner from the start. */
    secondOwner: z.boolean().default(false),
    /** How long groups of this kind live without being renewed; absent: for ever. */
    lifetime: lifetimePolicySchema.optional(),
  })
  .superRefine(({ allowed, membersOf }, context) => {
    if (membersOf === undefined) return;
    if (!allowed)
      context.addIssue({
        code: 'custom',
        path: ['membersOf'],
        message: 'Nobody may create groups of this kind, so nobody need be named. Remove membersOf, or allow it.',
      });
    if (new Set(membersOf).size < membersOf.length)
      context.addIssue({
        code: 'custom',
        path: ['membersOf'],
        message: 'The same group is named twice. Name it once.',
      });
  })
  .prefault({});

const words = z.array(z.string().min(1).max(100)).max(2_000);

/** The whole document must fit into one property of a row, 32 Ki characters. */
const MOST_CHARACTERS = 30_000;

/** Who may create groups, and under which rules. A creation is decided under the policy that it was asked for under. */
export const creationPolicySchema = z
  .strictObject({
    security: ofKind,
    microsoft365: ofKind,
    /** Who decides as well where of the approvers nobody can. */
    fallbackApprovers: deciders.default([]),
    /** Mail address of those who are told what nobody else is: the warnings of groups without an owner whom mail reaches. */
    fallbackAddress: z.email('Give a mail address such as groups@contoso.example.').max(254).optional(),
    /** Our own rules for names of security groups; Microsoft 365 groups follow the tenant's naming policy. */
    names: z
      .strictObject({
        blockedWords: words.default([]),
        /** Words that contain a blocked one and are harmless. */
        allowedWords: words.default([]),
        reservedNames: words.default([...RESERVED_NAMES]),
      })
      .prefault({}),
  })
  .superRefine((policy, context) => {
    const length = JSON.stringify(policy).length;
    if (length <= MOST_CHARACTERS) return;
    const message = `The policy has ${String(length)} characters, and ${String(MOST_CHARACTERS)} are kept. Name fewer words; one that contains another need not be named.`;
    context.addIssue({ code: 'custom', path: ['names'], message });
  });
export type CreationPolicy = z.output<typeof creationPolicySchema>;
export type CreationRules = CreationPolicy[GroupKind];

/** Ids that the policy names, with the JSON pointer to each: whoever writes one checks that the directory knows them. */
export function namedInCreation(policy: CreationPolicy): Named[] {
  const ofSources = (sources: CreationPolicy['fallbackApprovers'], path: string): Named[] =>
    sources.flatMap((source, index): Named[] => {
      const at = `${path}/${String(index)}`;
      if (source.kind === 'groupMembers') return [{ kind: 'group', id: source.groupId, pointer: `${at}/groupId` }];
      if (source.kind !== 'people') return [];
      return source.ids.map((id, n) => ({ kind: 'person', id, pointer: `${at}/ids/${String(n)}` }));
    });
  return [
    ...(['security', 'microsoft365'] as const).flatMap((kind): Named[] => [
      ...(policy[kind].membersOf ?? []).map((id, n) => ({
        kind: 'group' as const,
        id,
        pointer: `/${kind}/membersOf/${String(n)}`,
      })),
      ...ofSources(policy[kind].approval?.approvers ?? [], `/${kind}/approval/approvers`),
    ]),
    ...ofSources(policy.fallbackApprovers, '/fallbackApprovers'),
  ];
}
