import { z } from 'zod';

import { filled, requiredOf } from './approvers';
import { durationMs, parseDuration } from './duration';

/** An object id. */
export const groupId = z.guid('Give an object id: a GUID.').transform((id) => id.toLowerCase());

const duration = z
  .string()
  .refine(
    (text) => parseDuration(text) !== undefined,
    'Give an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P14D or PT8H.',
  );

export const positiveDuration = duration.refine(
  (text) => (parseDuration(text) ?? 1) > 0,
  'Give a duration longer than zero.',
);

/** Who may decide at a stage. */
export const approverSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('owners') }).describe('The owners of the group.'),
  z.strictObject({ kind: z.literal('manager') }).describe('The requester’s manager.'),
  z.strictObject({ kind: z.literal('groupMembers'), groupId }).describe('The direct members of a group.'),
  z
    .strictObject({
      kind: z.literal('people'),
      ids: z
        .array(groupId)
        .min(1, 'Name at least one person.')
        .max(50, 'Name at most 50 people; put more into a group.'),
    })
    .describe('People by their object id.'),
]);
export type ApproverSource = z.output<typeof approverSource>;

const approvers = z
  .array(approverSource, 'Give a list of approvers.')
  .min(1, 'Name at least one kind of approvers.')
  .max(5, 'Name at most five kinds of approvers.');
/** How many different people must approve (n of those who may decide). */
const required = z
  .int('Give a whole number.')
  .min(1, 'At least one person must approve.')
  .max(10, 'Ask for at most ten approvals.');
const OWNERS: ApproverSource[] = [{ kind: 'owners' }];

const party = z.strictObject({ approvers: approvers.default(OWNERS), required: required.default(1) });
/** People of whom so many must approve. */
export type PartyPolicy = z.output<typeof party>;

/** One party may be written without `parties`; a stage is kept with all of them spelled out. */
const stage = z
  .strictObject({
    /** Reminders, each counted from the time the stage's first mail was accepted. */
    reminders: z.array(positiveDuration).max(30, 'Give at most 30 reminders.').default(['P3D', 'P7D', 'P10D']),
    /** From then on the fallback approvers may decide as well. */
    escalateAfter: positiveDuration.optional(),
    /** The stage expires this long after its first mail was accepted. */
    deadline: positiveDuration.default('P14D'),
    /** `ends`: the first denial ends the request. `counts`: it ends once too few are left who could still approve. */
    denial: z.enum(['ends', 'counts'], 'Say ends or counts.').default('ends'),
    approvers: approvers.optional(),
    required: required.optional(),
    /** Parties that must all agree, instead of `approvers` and `required`. */
    parties: z
      .array(party, 'Give a list of parties.')
      .min(1, 'Give at least one party.')
      .max(4, 'Give at most four parties.')
      .optional(),
  })
  .superRefine((given, context) => {
    if (given.parties === undefined || (given.approvers === undefined && given.required === undefined)) return;
    const message = 'Give parties, or approvers and required, not both.';
    context.addIssue({ code: 'custom', path: ['parties'], message });
  })
  .transform(({ approvers: sources, required: count, parties, ...times }) => ({
    ...times,
    parties: spelledOut({ approvers: sources, required: count, parties }),
  }));

/** The parties of a stage, of which one may be written without `parties`. */
function spelledOut(given: {
  approvers?: ApproverSource[] | undefined;
  required?: number | undefined;
  parties?: PartyPolicy[] | undefined;
}): PartyPolicy[] {
  return given.parties ?? [{ approvers: given.approvers ?? OWNERS, required: given.required ?? 1 }];
}
export type StagePolicy = z.output<typeof stage>;

const whoMayAsk = z
  .strictObject({
    /** Only members of one of these groups may ask, directly or through another group; absent: everyone. */
    membersOf: z.array(groupId).min(1).max(20).optional(),
    guests: z.boolean().default(false),
  })
  .prefault({});

const rules = z.strictObject({
  optedIn: z.boolean().default(false),
  whoMayAsk,
  justification: z
    .strictObject({
      required: z.boolean().default(true),
      minimumLength: z.int().min(0).max(500).default(1),
      /** Shown where the reason is asked for. */
      prompt: z.string().max(300).optional(),
    })
    .prefault({}),
  stages: z.array(stage).min(1, 'Give at least one stage.').max(3, 'Give at most three stages.').prefault([{}]),
  /** Who decides as well where a party has too few people, and after `escalateAfter`. */
  fallbackApprovers: z.array(approverSource).max(5, 'Name at most five kinds of approvers.').default([]),
  /** Owners of the group become members without anybody being asked. */
  ownersJoinWithoutAsking: z.boolean().default(false),
  /** Whoever approves may shorten the time that was asked for. */
  deciderMayShorten: z.boolean().default(true),
  /** A group with too few owners is cared for: its owner, or its members, are asked by mail. */
  ownerCare: z.boolean().default(true),
  /** Longest membership that may be asked for; absent: without end. */
  maximumDuration: positiveDuration.optional(),
  /** Given where a request names none; absent: without end, or `maximumDuration`. */
  defaultDuration: positiveDuration.optional(),
  /** Members are told this long before their time ends. */
  warnings: z.array(positiveDuration).max(5).default(['P7D', 'P1D']),
  /** After a denial the same person can't ask again for this long. */
  coolDown: positiveDuration.optional(),
});
type Rules = z.output<typeof rules>;

/** The rules under which a group's membership is self-service. A request is decided under the policy that it was filed under. */
export const policySchema = rules.check(
  z.superRefine<Rules>(
    (policy, context) => {
      const wrong = context.issues.filter(({ code }) => code !== 'unrecognized_keys').map(({ path = [] }) => path);
      for (const { path, message } of contradictions(policy, isRight(wrong)))
        context.addIssue({ code: 'custom', path, message });
    },
    // whoever writes a policy is told all that is wrong with it at once
    { when: ({ value }) => typeof value === 'object' && value !== null },
  ),
);
export type Policy = z.output<typeof policySchema>;

/** A policy as it is kept: what is a contradiction since does not make it unreadable. */
export const keptPolicySchema = rules;

/** What is well-formed of a body that is no policy, with defaults for the rest; `has` says which rules were. */
export function wellFormed(draft: unknown): { policy: Rules; has: (rule: keyof Rules) => boolean } {
  const given = typeof draft === 'object' && draft !== null ? (draft as Record<string, unknown>) : {};
  const right = Object.entries(rules.shape).filter(([name, rule]) => rule.safeParse(given[name]).success);
  const names = new Set(right.map(([name]) => name));
  return {
    policy: rules.parse(Object.fromEntries(right.map(([name]) => [name, given[name]]))),
    has: (rule) => names.has(rule),
  };
}

type Path = readonly PropertyKey[];
/** Whether what stands at this path of the policy is well-formed, as far as it goes: only then it can contradict anything. */
type IsRight = (...path: Path) => boolean;

/** An error above a part or within it makes it one that can't be judged. */
const isRight =
  (wrong: readonly Path[]): IsRight =>
  (...path) =>
    !wrong.some((other) => path.every((part, index) => index >= other.length || other[index] === part));

interface Contradiction {
  path: (string | number)[];
  /** What contradicts what, and how to mend it. */
  message: string;
}

const ms = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseDuration(text));

function contradictions(policy: Rules, right: IsRight): Contradiction[] {
  const stages = Array.isArray(policy.stages) ? policy.stages : [];
  return [
    ...stages.flatMap((_, index) => timeContradictions(policy, index, right)),
    ...stages.flatMap((_, index) => approverContradictions(policy, index, right)),
    ...(right('stages') && right('fallbackApprovers') && right('whoMayAsk') ? tooManyNamed(policy) : []),
    ...(right('maximumDuration') && right('defaultDuration') ? durationContradictions(policy) : []),
    ...(right('justification') ? justificationContradictions(policy) : []),
    ...(right('whoMayAsk') ? askerContradictions(policy) : []),
    ...(right('warnings') ? repeated(policy.warnings, ['warnings'], 'warning') : []),
  ];
}

/** Of several times of the same length only one would ever count. */
function repeated(times: readonly string[], path: Contradiction['path'], what: string): Contradiction[] {
  return times.flatMap((text, index) => {
    const earlier = times.findIndex((other) => ms(other) === ms(text));
    if (ms(text) === undefined || earlier === index) return [];
    const message = `The ${what} at ${text} is there already. Name it once.`;
    return [{ path: [...path, index], message }];
  });
}

function timeContradictions({ stages, fallbackApprovers }: Rules, index: number, right: IsRight): Contradiction[] {
  const of = (part: string): boolean => right('stages', index, part);
  // a stage with an error elsewhere stands as it was written, without what it leaves out
  const { reminders = [], escalateAfter, deadline } = (stages[index] ?? {}) as Partial<StagePolicy>;
  const found: Contradiction[] = [];
  const end = of('deadline') ? ms(deadline) : undefined;
  const isLate = (text: string): boolean => {
    const at = ms(text);
    return at !== undefined && end !== undefined && at >= end;
  };
  if (of('reminders')) {
    reminders.forEach((reminder, position) => {
      if (!isLate(reminder)) return;
      found.push({
        path: ['stages', index, 'reminders', position],
        message: `The reminder at ${reminder} would come at or after the deadline ${String(deadline)}. Remove it or set a later deadline.`,
      });
    });
    found.push(...repeated(reminders, ['stages', index, 'reminders'], 'reminder'));
  }
  if (escalateAfter === undefined || !of('escalateAfter')) return found;
  if (isLate(escalateAfter)) {
    found.push({
      path: ['stages', index, 'escalateAfter'],
      message: `The escalation at ${escalateAfter} would come at or after the deadline ${String(deadline)}. Escalate earlier or set a later deadline.`,
    });
  }
  if (right('fallbackApprovers') && fallbackApprovers.length === 0) {
    found.push({
      path: ['stages', index, 'escalateAfter'],
      message: 'There is nobody to escalate to. Name fallbackApprovers, or remove escalateAfter.',
    });
  }
  return found;
}

function approverContradictions(policy: Rules, index: number, right: IsRight): Contradiction[] {
  const { stages, fallbackApprovers } = policy;
  const of = (...path: Path): boolean => right('stages', index, ...path);
  if (!right('fallbackApprovers') || !of('parties') || !of('approvers') || !of('required')) return [];
  const parties = spelledOut(stages[index] ?? {});
  const tooFew = parties.flatMap(({ approvers: sources, required: count }, position): Contradiction[] => {
    const all = countable(sources, fallbackApprovers);
    if (all === undefined || all.size >= count) return [];
    return [
      {
        path: ['stages', index, 'parties', position, 'required'],
        message: `${String(count)} must approve, but only ${String(all.size)} could. Ask for fewer, or name more people.`,
      },
    ];
  });
  return [
    ...(tooFew.length > 0 ? tooFew : tooFewTogether(parties, fallbackApprovers, index)),
    ...parties.flatMap(({ approvers: sources }, position): Contradiction[] => {
      const isTwice = sources.some((source, at) => sources.slice(0, at).some((other) => isSame(other, source)));
      const isOwnFallback = fallbackApprovers.length > 0 && namesNobodyBesides(sources, fallbackApprovers);
      return [
        ...(isTwice
          ? [
              {
                path: ['stages', index, 'parties', position, 'approvers'],
                message: 'The same approvers are named twice. Name them once.',
              },
            ]
          : []),
        ...(isOwnFallback
          ? [
              {
                path: ['fallbackApprovers'],
                message: `The fallback approvers are those of stage ${String(index + 1)} themselves, so nobody would step in for them. Name others, or none.`,
              },
            ]
          : []),
      ];
    }),
  ];
}

/** Each person counts for one party only: parties that name the same people may need more than there are. */
function tooFewTogether(
  parties: readonly PartyPolicy[],
  fallback: readonly ApproverSource[],
  index: number,
): Contradiction[] {
  const people = parties.map(({ approvers: sources }) => countable(sources, fallback));
  if (!people.every((ids) => ids !== undefined)) return [];
  const all = new Set(people.flatMap((ids) => [...ids]));
  const places = parties.map(({ required: count }, position) => ({
    required: count,
    approvers: [...(people[position] ?? [])].map((id) => ({ id })),
  }));
  const needed = requiredOf(places);
  if (filled(places, all) === needed) return [];
  return [
    {
      path: ['stages', index, 'parties'],
      message: `Together the parties need ${String(needed)} different people, because nobody approves for two of them, and those named don’t suffice. Ask for fewer, or name more people.`,
    },
  ];
}

/** Ids that a policy may name in all: each is looked up whenever somebody asks. */
export const MOST_NAMED = 100;

export const howManyNamed = (policy: Rules): number => new Set(namedIn(policy).map(({ id }) => id)).size;

function tooManyNamed(policy: Rules): Contradiction[] {
  const count = howManyNamed(policy);
  if (count <= MOST_NAMED) return [];
  return [
    {
      path: ['stages'],
      message: `The policy names ${String(count)} people and groups. Name at most ${String(MOST_NAMED)}; put many people into a group.`,
    },
  ];
}

/** Whom these sources name, with those who would step in, where the policy alone tells it; a manager is one person, whoever it is. */
function countable(...sources: (readonly ApproverSource[])[]): Set<string> | undefined {
  const all = sources.flat();
  if (all.some(({ kind }) => kind === 'owners' || kind === 'groupMembers')) return undefined;
  return new Set(all.flatMap((source) => (source.kind === 'people' ? source.ids : ['manager'])));
}

/** Whether two name the same, in whatever order they name it. */
const isSame = (one: ApproverSource, other: ApproverSource): boolean =>
  one.kind === 'people' && other.kind === 'people'
    ? namesNobodyBesides([one], [other]) && namesNobodyBesides([other], [one])
    : JSON.stringify(one) === JSON.stringify(other);

/** Whether all that these name by themselves are named there: people may be divided otherwise. */
function namesNobodyBesides(there: readonly ApproverSource[], these: readonly ApproverSource[]): boolean {
  const people = new Set(there.flatMap((source) => (source.kind === 'people' ? source.ids : [])));
  return these.every((source) =>
    source.kind === 'people' ? source.ids.every((id) => people.has(id)) : there.some((other) => isSame(other, source)),
  );
}

function durationContradictions({ maximumDuration, defaultDuration }: Rules): Contradiction[] {
  const most = ms(maximumDuration);
  const usual = ms(defaultDuration);
  if (most === undefined || usual === undefined || usual <= most) return [];
  return [
    {
      path: ['defaultDuration'],
      message: `The default duration ${String(defaultDuration)} is longer than the maximum ${String(maximumDuration)}.`,
    },
  ];
}

function justificationContradictions({ justification }: Rules): Contradiction[] {
  if (justification.required || justification.minimumLength <= 1) return [];
  return [
    {
      path: ['justification', 'minimumLength'],
      message: 'A reason of a least length is asked for, but none is required. Require it, or drop the length.',
    },
  ];
}

function askerContradictions({ whoMayAsk: { membersOf = [] } }: Rules): Contradiction[] {
  if (new Set(membersOf).size === membersOf.length) return [];
  return [{ path: ['whoMayAsk', 'membersOf'], message: 'The same group is named twice. Name it once.' }];
}

/** How long a membership under this policy lasts, where the request asks for `asked`; `undefined` is without end. */
export function grantedDuration(policy: Policy, asked: string | undefined): string | undefined {
  return asked ?? policy.defaultDuration ?? policy.maximumDuration;
}

/** Of two lengths of a membership the shorter one; `undefined` is without end. */
export function shorter(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined) return other;
  if (other === undefined) return one;
  return durationMs(other) < durationMs(one) ? other : one;
}

/** An id in a policy, and the JSON pointer to it. */
export interface Named {
  kind: 'group' | 'person';
  id: string;
  pointer: string;
}

/** Ids that a policy names: whoever writes one checks that the directory knows them. */
export function namedIn(policy: Policy): Named[] {
  const ofSources = (sources: readonly ApproverSource[], path: string): Named[] =>
    sources.flatMap((source, index): Named[] => {
      const at = `${path}/${String(index)}`;
      switch (source.kind) {
        case 'groupMembers':
          return [{ kind: 'group', id: source.groupId, pointer: `${at}/groupId` }];
        case 'people':
          return source.ids.map((id, n) => ({ kind: 'person', id, pointer: `${at}/ids/${String(n)}` }));
        case 'owners':
        case 'manager':
          return [];
      }
    });
  return [
    ...policy.stages.flatMap(({ parties }, index) =>
      parties.flatMap((each, n) =>
        ofSources(each.approvers, `/stages/${String(index)}/parties/${String(n)}/approvers`),
      ),
    ),
    ...ofSources(policy.fallbackApprovers, '/fallbackApprovers'),
    ...(policy.whoMayAsk.membersOf ?? []).map((id, n) => ({
      kind: 'group' as const,
      id,
      pointer: `/whoMayAsk/membersOf/${String(n)}`,
    })),
  ];
}
