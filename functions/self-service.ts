import { z } from 'zod';

import { isForgottenPlace, isPlace, MOST_ON_A_PAGE } from '../shared/directory/group-listing';
import { changeGroup, changeGroups } from '../shared/policies/self-service';
import type { SelfServiceAction } from '../shared/policies/self-service';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json } from './door';
import type { Door, Visit } from './door';
import { groupParams, plainText, reasonText } from './parameters';

const ADMITS = { people: false, roles: [ROLES.policy] };
const RULE = 'Administrators only.';

const outcomeSchema = z.object({
  groupId: z.string(),
  displayName: z.string(),
  outcome: z.enum(['changed', 'would-change', 'unchanged', 'refused']),
  rule: z.string().optional().describe('Which rule says no.'),
  reason: z.string().optional().describe('What it says.'),
  change: z.string().nullish().describe('What would change it; null where nothing would.'),
});

const oneBody = z.strictObject({ reason: reasonText.describe('Why; kept in the trail.') });

const writerOf = ({ caller, via, at }: Visit<unknown>, reason: string) => ({
  actor: actorOf(caller),
  ...via,
  reason,
  at,
});

const TITLES: Record<SelfServiceAction, string> = {
  'opt-in': 'This group can’t be opted in',
  'opt-out': 'This group can’t be opted out',
  'owners-told': 'The owners of this group don’t manage it yet',
};

interface Words {
  name: string;
  one: string;
  many: string;
}

const WORDS: Record<SelfServiceAction, Words> = {
  'opt-in': {
    name: 'OptIn',
    one: 'Open a group to self-service, under its own policy or, where it has none, a copy of the default one',
    many: 'Open the groups of a filter to self-service',
  },
  'opt-out': {
    name: 'OptOut',
    one: 'Close a group to self-service; its open requests end at their next step',
    many: 'Close the groups of a filter to self-service',
  },
  'owners-told': {
    name: 'MarkOwnersTold',
    one: 'Write down that the owners of a group were sent the announcement',
    many: 'Write down that the owners of the groups of a filter were sent the announcement',
  },
};

const oneGroup = (action: SelfServiceAction): Door =>
  door({
    name: `group${WORDS[action].name}`,
    method: 'POST',
    route: `groups/{groupId}/${action}`,
    admits: ADMITS,
    rule: RULE,
    api: {
      summary: WORDS[action].one,
      body: oneBody,
      answers: {
        200: { description: '`changed`, or `unchanged` where it was so already.', body: outcomeSchema },
        409: { description: 'A rule says no: which one, and what would change it.' },
      },
    },
    params: groupParams,
    handle: async (visit) => {
      const { reason: why } = (await readJson(visit.request, oneBody)).value;
      const result = await changeGroup(visit.services, action, visit.params.groupId, writerOf(visit, why));
      if (result === undefined) throw problems.notFound('There is no group with this id.');
      if (result.outcome !== 'refused') return json(200, result);
      const { rule = 'conflict', reason = '', change } = result;
      const detail = typeof change === 'string' ? `${reason} ${change}` : reason;
      throw new Problem(409, rule, TITLES[action], detail, { with: { rule, reason, change: change ?? null } });
    },
  });

/** Groups that one call looks at, and ids that one call takes. */
const MOST_IDS = 200;

const filterSchema = z.strictObject({
  ids: z
    .array(z.guid('Give an object id: a GUID.').transform((id) => id.toLowerCase()))
    .min(1, 'Name at least one group, or leave ids out.')
    .max(MOST_IDS, `Name at most ${String(MOST_IDS)} groups in one call.`)
    .transform((ids) => [...new Set(ids)])
    .optional(),
  kind: z.enum(['security', 'microsoft365', 'mail-enabled-security', 'distribution-list', 'other']).optional(),
  namePrefix: plainText(256).optional().describe('How the display name begins, without regard to case.'),
  hasUsableOwner: z.boolean().optional().describe('An owner with an enabled account and a mailbox.'),
  selfService: z.enum(['opted-in', 'opted-out', 'undecided']).optional(),
});

const bulkBody = z
  .strictObject({
    filter: filterSchema.describe('All that is given must hold; `{}` takes every group.'),
    dryRun: z.boolean().default(true).describe('Only tells what would be; say false to do it.'),
    reason: reasonText.describe('Why; kept in the trail of each group.'),
    pageSize: z
      .int()
      .min(1)
      .max(MOST_ON_A_PAGE)
      .default(200)
      .describe('Groups that one call looks at; those of a call that goes on are the same number.'),
    after: z
      .string()
      .refine(isPlace, 'Give `after` as the answer before gave it.')
      .optional()
      .describe('Goes on where the answer before said.'),
  })
  .refine(({ filter, after }) => filter.ids === undefined || after === undefined, {
    path: ['after'],
    message: 'With ids one call is all: leave after out.',
  });

const bulkSchema = z.object({
  dryRun: z.boolean(),
  looked: z.int().describe('Groups that this call looked at.'),
  changed: z.int().describe('Groups that changed, or would.'),
  unchanged: z.int(),
  refused: z.int(),
  value: z.array(outcomeSchema).describe('The groups that the filter took.'),
  after: z.string().optional().describe('There is more: make the same call with it.'),
});

/** Where a listing can't go on any more, that is the caller's to know. */
export const notExpired = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (isForgottenPlace(error))
      throw new Problem(
        410,
        'gone',
        'This can’t be gone on with',
        'Too much time has passed. Start again without after.',
      );
    throw error;
  });

const manyGroups = (action: SelfServiceAction): Door =>
  door({
    name: `groups${WORDS[action].name}`,
    method: 'POST',
    route: `policies/${action}`,
    admits: ADMITS,
    rule: RULE,
    api: {
      summary: `${WORDS[action].many}, some at a time; first a dry run`,
      body: bulkBody,
      answers: {
        200: {
          description:
            'What became of each group. While there is `after`, make the same call with it. A call that failed can be made again: what it did is `unchanged` then.',
          body: bulkSchema,
        },
        410: { description: '`after` is too old. Start again without it: nothing is done twice.' },
      },
    },
    params: z.record(z.string(), z.string()),
    handle: async (visit) => {
      const { filter, dryRun, reason, pageSize, after } = (await readJson(visit.request, bulkBody)).value;
      const options = { dryRun, pageSize, after };
      const { outcomes, ...rest } = await notExpired(
        changeGroups(visit.services, action, filter, options, writerOf(visit, reason)),
      );
      const count = (...wanted: string[]): number => outcomes.filter(({ outcome }) => wanted.includes(outcome)).length;
      return json(200, {
        dryRun,
        changed: count('changed', 'would-change'),
        unchanged: count('unchanged'),
        refused: count('refused'),
        ...rest,
        value: outcomes,
      });
    },
  });

const actions: readonly SelfServiceAction[] = ['opt-in', 'opt-out', 'owners-told'];

export const doors: readonly Door[] = [...actions.map(oneGroup), ...actions.map(manyGroups)];
