import { GraphError } from '@microsoft/microsoft-graph-client';
import type { GraphRequest } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';

import type { Group } from '../domain/eligibility';
import type { GroupDirectory, NewGroup, Page, PageOptions } from './directory';
import {
  GROUP_PROPERTIES,
  isAlreadyThere,
  isNotFound,
  pageSchema,
  parse,
  PERSON_PROPERTIES,
  toGroup,
  toPerson,
} from './graph-objects';

/** The parts of the Graph client that these calls are made with. */
interface Parts {
  call: (path: string) => GraphRequest;
  /** `undefined` for 404; other errors translated. */
  orUndefined: <T>(work: Promise<T>) => Promise<T | undefined>;
  translate: (error: unknown) => Error;
  /** Address of directory objects, to refer to them. */
  objects: string;
}

const settingsSchema = z.object({
  value: z.array(
    z.object({
      displayName: z.string().nullish(),
      values: z.array(z.object({ name: z.string(), value: z.string().nullish() })).default([]),
    }),
  ),
});
const renewedSchema = z.object({ renewedDateTime: z.iso.datetime({ offset: true }).nullish() });
const attributesSchema = z.object({
  department: z.string().nullish(),
  companyName: z.string().nullish(),
  officeLocation: z.string().nullish(),
  state: z.string().nullish(),
  country: z.string().nullish(),
  jobTitle: z.string().nullish(),
});
const detailsSchema = z.object({
  details: z.array(z.object({ code: z.string().nullish(), target: z.string().nullish() })).nullish(),
});

const segment = encodeURIComponent;
const EVENTUAL = 'eventual';
/** A text in a filter: quotes are doubled. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The properties that an error of Graph is about, with its code for each. */
function detailsOf(error: GraphError): { code: string; target: string }[] {
  try {
    const body: unknown = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    const parsed = detailsSchema.safeParse(body);
    return (parsed.data?.details ?? []).map(({ code, target }) => ({ code: code ?? '', target: target ?? '' }));
  } catch {
    return [];
  }
}

const isConflict = (error: unknown, target: string): boolean =>
  error instanceof GraphError &&
  error.statusCode === 400 &&
  (detailsOf(error).some((each) => each.code === 'ObjectConflict' && each.target === target) ||
    new RegExp(`same value for property ${target} already exists`, 'i').test(error.message));

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof GraphError && detailsOf(error).some((each) => each.code === code);

const isLastOwner = (error: unknown): boolean =>
  error instanceof GraphError && error.statusCode === 400 && /at least one owner/i.test(error.message);

function bodyOf(
  { kind, displayName, mailNickname, description, visibility, ownerIds, memberIds }: NewGroup,
  objects: string,
) {
  const bind = (ids: readonly string[]): string[] => ids.map((id) => `${objects}/${segment(id)}`);
  return {
    displayName,
    mailNickname,
    mailEnabled: kind === 'microsoft365',
    securityEnabled: kind === 'security',
    groupTypes: kind === 'microsoft365' ? ['Unified'] : [],
    ...(description !== undefined && description !== '' && { description }),
    ...(kind === 'microsoft365' && visibility !== undefined && { visibility }),
    ...(ownerIds.length > 0 && { 'owners@odata.bind': bind(ownerIds) }),
    ...(memberIds.length > 0 && { 'members@odata.bind': bind(memberIds) }),
  };
}

export function groupCalls({ call, orUndefined, translate, objects }: Parts): GroupDirectory {
  /** One page of a collection; of a next link only the token is handed out, so that nobody else says where to call. */
  const page = async <Item>(
    path: string,
    query: Record<string, string>,
    { size, after }: PageOptions,
    toItem: (value: unknown) => Item,
  ): Promise<Page<Item>> => {
    const options = { ...query, $top: String(size), ...(after !== undefined && { $skiptoken: after }) };
    const text = Object.entries(options)
      .map(([name, value]) => `${name}=${segment(value)}`)
      .join('&');
    const answer: unknown = await orUndefined(
      call(`${path}?${text}`).header('ConsistencyLevel', EVENTUAL).get() as Promise<unknown>,
    );
    if (answer === undefined) return { items: [] };
    const found = parse(pageSchema, answer);
    const link = found['@odata.nextLink'];
    const next = link === undefined ? null : new URL(link).searchParams.get('$skiptoken');
    return { items: found.value.map(toItem), ...(next !== null && { next }) };
  };

  const groups = (query: Record<string, string>, options: PageOptions): Promise<Page<Group>> =>
    page('/groups', { $select: GROUP_PROPERTIES, ...query }, options, toGroup);
  const wordClause = (words: readonly string[]): string =>
    words.map((word) => `"displayName:${word.replaceAll(/["\\]/g, '')}"`).join(' AND ');
  const refer = (id: string): { '@odata.id': string } => ({ '@odata.id': `${objects}/${segment(id)}` });

  return {
    groupByUniqueName: async (uniqueName) => {
      const answer: unknown = await orUndefined(
        call(`/groups(uniqueName='${segment(uniqueName)}')`)
          .query({ $select: GROUP_PROPERTIES })
          .get() as Promise<unknown>,
      );
      return answer === undefined ? undefined : toGroup(answer);
    },
    createGroup: async (group) => {
      try {
        const answer: unknown = await call(`/groups(uniqueName='${segment(group.uniqueName)}')`)
          .header('Prefer', 'create-if-missing')
          .patch(bodyOf(group, objects));
        // 204: there was one, and it has no owners to bind again
        return answer === undefined || answer === null || answer === ''
          ? { kind: 'exists' }
          : { kind: 'created', group: toGroup(answer) };
      } catch (error) {
        if (isAlreadyThere(error) || isConflict(error, 'uniqueName')) return { kind: 'exists' };
        if (isConflict(error, 'mailNickname') || isConflict(error, 'proxyAddresses')) return { kind: 'nickname-taken' };
        if (hasCode(error, 'MissingPrefixSuffix')) return { kind: 'affixes-refused' };
        if (hasCode(error, 'ContainsBlockedWord')) return { kind: 'word-refused' };
        throw translate(error);
      }
    },
    describeGroup: async (groupId, change) => {
      try {
        await call(`/groups/${segment(groupId)}`).patch(change);
        return 'changed';
      } catch (error) {
        if (isNotFound(error)) return 'gone';
        throw translate(error);
      }
    },
    addOwner: async (groupId, personId) => {
      try {
        await call(`/groups/${segment(groupId)}/owners/$ref`).post(refer(personId));
        return 'added';
      } catch (error) {
        if (isAlreadyThere(error)) return 'already';
        if (isNotFound(error)) return 'gone';
        throw translate(error);
      }
    },
    removeOwner: async (groupId, personId) => {
      try {
        // without `/$ref` Graph would delete the person
        await call(`/groups/${segment(groupId)}/owners/${segment(personId)}/$ref`).delete();
        return 'removed';
      } catch (error) {
        if (isNotFound(error)) return 'not-an-owner';
        if (isLastOwner(error)) return 'last';
        throw translate(error);
      }
    },
    renewedAt: async (groupId) => {
      const answer: unknown = await orUndefined(
        call(`/groups/${segment(groupId)}`)
          .query({ $select: 'id,renewedDateTime' })
          .get() as Promise<unknown>,
      );
      const at = answer === undefined ? undefined : parse(renewedSchema, answer).renewedDateTime;
      return at == null ? undefined : new Date(at);
    },
    renewGroup: async (groupId) => {
      try {
        await call(`/groups/${segment(groupId)}/renew`).post({});
        return 'renewed';
      } catch (error) {
        if (isNotFound(error)) return 'gone';
        // without an expiration policy, or where it leaves the group out, there is nothing to renew
        if (error instanceof GraphError && error.statusCode === 400) return 'not-governed';
        throw translate(error);
      }
    },
    deleteGroup: async (groupId) => {
      try {
        await call(`/groups/${segment(groupId)}`).delete();
        return 'deleted';
      } catch (error) {
        if (isNotFound(error)) return 'gone';
        throw translate(error);
      }
    },
    namingSettings: async () => {
      const answer: unknown = await orUndefined(call('/groupSettings').get() as Promise<unknown>);
      const all = parse(settingsSchema, answer ?? { value: [] }).value;
      const unified = all.find(({ displayName }) => displayName === 'Group.Unified')?.values ?? [];
      const of = (name: string): string => unified.find((each) => each.name === name)?.value ?? '';
      return { requirement: of('PrefixSuffixNamingRequirement'), blockedWords: of('CustomBlockedWordsList') };
    },
    namingAttributes: async (personId) => {
      const answer: unknown = await orUndefined(
        call(`/users/${segment(personId)}`)
          .query({ $select: 'id,department,companyName,officeLocation,state,country,jobTitle' })
          .get() as Promise<unknown>,
      );
      const found = parse(attributesSchema, answer ?? {});
      return {
        Department: found.department ?? null,
        Company: found.companyName ?? null,
        Office: found.officeLocation ?? null,
        StateOrProvince: found.state ?? null,
        CountryOrRegion: found.country ?? null,
        Title: found.jobTitle ?? null,
      };
    },
    nicknames: async (start) => {
      const { items } = await page(
        '/groups',
        { $select: 'id,mailNickname,mailEnabled', $filter: `startswith(mailNickname,${quoted(start)})` },
        { size: 999 },
        (value) => parse(z.object({ mailNickname: z.string().nullish(), mailEnabled: z.boolean().nullish() }), value),
      );
      return items.flatMap(({ mailNickname, mailEnabled }) =>
        mailEnabled === true && mailNickname != null ? [mailNickname.toLowerCase()] : [],
      );
    },
    groupsNamed: async (displayName) =>
      (await groups({ $filter: `displayName eq ${quoted(displayName)}` }, { size: 10 })).items,
    groupsStarting: async (start, most) =>
      (await groups({ $filter: `startswith(displayName,${quoted(start)})` }, { size: most })).items,
    groupsWith: async (word, most) => (await groups({ $search: wordClause([word]) }, { size: most })).items,
    searchGroups: (words, options) => groups({ $search: wordClause(words), $count: 'true' }, options),
    ownedBy: (personId, options) =>
      page(
        `/users/${segment(personId)}/ownedObjects/microsoft.graph.group`,
        { $select: GROUP_PROPERTIES },
        options,
        toGroup,
      ),
    joinedBy: (personId, options) =>
      page(
        `/users/${segment(personId)}/memberOf/microsoft.graph.group`,
        { $select: GROUP_PROPERTIES },
        options,
        toGroup,
      ),
    membersPage: (groupId, options) =>
      page(
        `/groups/${segment(groupId)}/members/microsoft.graph.user`,
        { $select: PERSON_PROPERTIES },
        options,
        toPerson,
      ),
  };
}
