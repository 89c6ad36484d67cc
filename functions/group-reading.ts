import { z } from 'zod';

import type { Page } from '../shared/directory/directory';
import type { Group } from '../shared/domain/eligibility';
import { isBadPage, listGroups, listMembers, readGroup } from '../shared/group-changes/read';
import type { ListOptions, Reader } from '../shared/group-changes/read';
import { lifetimeSchema } from '../shared/group-lives/status';
import { problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { door, hasRole, json } from './door';
import type { Visit } from './door';
import { nextOf, queryOf } from './paging';
import { groupParams } from './parameters';

const PEOPLE = { people: true, roles: [] };
const anyPath = z.record(z.string(), z.string());

/** How many groups or members a page has. */
const pageFields = {
  pageSize: z.coerce.number().int().min(1).max(100).default(50),
  after: z
    .string()
    .regex(/^[\x21-\x7e]{1,2000}$/, 'Take it from the nextLink of the page before.')
    .optional(),
};
const WORDS = /[\p{L}\p{N}]+/gu;
const MOST_WORDS = 5;

const listQuery = z
  .strictObject({
    owner: z.literal('me', 'Say me: other people’s groups are theirs to see.').optional(),
    member: z.literal('me', 'Say me: other people’s groups are theirs to see.').optional(),
    search: z
      .string()
      .max(200, 'Use at most 200 characters.')
      .refine((text) => (text.match(WORDS) ?? []).length > 0, 'Give at least one word.')
      .optional(),
    ...pageFields,
  })
  .refine(({ owner, member, search }) => [owner, member, search].filter((each) => each !== undefined).length === 1, {
    error: 'Say which groups: owner=me, member=me, or search=words.',
  });

const groupSchema = z.object({
  id: z.string(),
  displayName: z.string(),
  description: z.string().nullable(),
  kind: z.enum(['security', 'microsoft365', 'other']),
});
const person = z.object({ id: z.string(), name: z.string() });
const detailSchema = groupSchema.extend({
  you: z.object({ own: z.boolean(), member: z.boolean() }),
  selfService: z
    .object({ open: z.boolean(), rule: z.string().optional(), sentence: z.string().optional() })
    .describe('Whether its membership can be changed here; if not, which rule says so.'),
  lifetime: lifetimeSchema.optional().describe('Of groups that were created here: when they expire.'),
  owners: z.array(person).optional().describe('Told to its owners, operations and administrators.'),
});
const memberSchema = person.extend({
  userPrincipalName: z.string(),
  accountEnabled: z.boolean(),
  guest: z.boolean(),
  addedByGatehouse: z.boolean(),
  grants: z
    .array(z.object({ requestId: z.string(), from: z.iso.datetime(), until: z.iso.datetime().optional() }))
    .optional(),
});
const pageOf = (item: z.ZodType) => ({
  200: {
    description: 'One page; `nextLink` is there while there is more.',
    body: z.object({ value: z.array(item), nextLink: z.string().optional() }),
  },
});

function kindOf({ groupTypes, mailEnabled, securityEnabled }: Group): z.output<typeof groupSchema>['kind'] {
  if (groupTypes.includes('Unified')) return 'microsoft365';
  return securityEnabled && !mailEnabled ? 'security' : 'other';
}

const brief = (group: Group): z.output<typeof groupSchema> => ({
  id: group.id,
  displayName: group.displayName,
  description: group.description,
  kind: kindOf(group),
});

/** People look in their own name; operators and administrators see all. */
function readerOf({ caller }: Visit<unknown>): Reader {
  if (caller.kind !== 'person') throw problems.forbidden('People look at groups in their own name.');
  const administers = hasRole(caller, ROLES.policy);
  return { id: caller.id, seesAll: hasRole(caller, ROLES.operations) || administers, administers };
}

/** @throws {Problem} 400 where the directory does not know the page */
async function onPage<Item>(after: string | undefined, work: () => Promise<Page<Item>>): Promise<Page<Item>> {
  try {
    return await work();
  } catch (error) {
    if (isBadPage(error, after))
      throw problems.badRequest([
        { pointer: 'after', detail: 'There is no such page (any more). Begin with the first.' },
      ]);
    throw error;
  }
}

function whichOf({ owner, member, search }: z.output<typeof listQuery>): ListOptions['by'] {
  if (owner !== undefined) return { kind: 'owner' };
  if (member !== undefined) return { kind: 'member' };
  return { kind: 'search', words: (search?.match(WORDS) ?? []).slice(0, MOST_WORDS) };
}

const listing = door({
  name: 'listGroups',
  method: 'GET',
  route: 'groups',
  admits: PEOPLE,
  rule: 'One’s own groups; a search finds those that are open to self-service and don’t hide their members.',
  api: {
    summary: 'Groups that one owns, is a member of, or looks for',
    query: listQuery,
    answers: pageOf(groupSchema),
  },
  params: anyPath,
  handle: async (visit) => {
    const reader = readerOf(visit);
    const query = queryOf(visit.request, listQuery);
    const { pageSize: size, after } = query;
    const options = { by: whichOf(query), size, ...(after !== undefined && { after }) };
    const { items, next } = await onPage(after, () => listGroups(visit.services, reader, options));
    return json(200, { value: items.map(brief), ...nextOf(visit.services, 'groups', query, next) });
  },
});

const NOT_FOUND = 'There is no group of this id that you may see.';

const reading = door({
  name: 'readGroup',
  method: 'GET',
  route: 'groups/{groupId}',
  admits: PEOPLE,
  rule: 'Its owners and members, operations, administrators; anybody, where it is open to self-service and hides no members.',
  api: {
    summary: 'A group, and what one is to it',
    answers: { 200: { description: 'The group.', body: detailSchema } },
  },
  params: groupParams,
  handle: async (visit) => {
    const reader = readerOf(visit);
    const found = await readGroup(visit.services, visit.params.groupId, reader);
    if (found === undefined) throw problems.notFound(NOT_FOUND);
    const { group, owners, isOwner, isMember, refusal, life } = found;
    return json(200, {
      ...brief(group),
      you: { own: isOwner, member: isMember },
      selfService: { open: refusal === undefined, ...refusal },
      ...(life !== undefined && { lifetime: life }),
      ...((isOwner || reader.seesAll) && {
        owners: owners.map(({ id, displayName }) => ({ id, name: displayName })),
      }),
    } satisfies z.output<typeof detailSchema>);
  },
});

const membersQuery = z.strictObject(pageFields);

const listingMembers = door({
  name: 'listGroupMembers',
  method: 'GET',
  route: 'groups/{groupId}/members',
  admits: PEOPLE,
  rule: 'Its owners, operations, administrators.',
  api: {
    summary: 'Direct members of a group, each with what Gatehouse granted',
    query: membersQuery,
    answers: pageOf(memberSchema),
  },
  params: groupParams,
  handle: async (visit) => {
    const reader = readerOf(visit);
    const { groupId } = visit.params;
    const query = queryOf(visit.request, membersQuery);
    const found = await readGroup(visit.services, groupId, reader);
    if (found === undefined) throw problems.notFound(NOT_FOUND);
    if (!found.isOwner && !reader.seesAll)
      throw problems.forbidden('Only the owners of a group see who its members are.');
    const { pageSize: size, after } = query;
    const page = { size, ...(after !== undefined && { after }) };
    const { items, next } = await onPage(after, () => listMembers(visit.services, groupId, page));
    const value = items.map(({ person: member, grants }) => ({
      id: member.id,
      name: member.displayName,
      userPrincipalName: member.userPrincipalName,
      accountEnabled: member.accountEnabled,
      guest: member.isGuest,
      addedByGatehouse: grants !== undefined,
      ...(grants !== undefined && { grants }),
    }));
    return json(200, { value, ...nextOf(visit.services, `groups/${groupId}/members`, query, next) });
  },
});

export const doors = [listing, reading, listingMembers] as const;
