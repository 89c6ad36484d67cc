import { z } from 'zod';

import { eligibleApprovers } from '../domain/approvers';
import type { Group, Person } from '../domain/eligibility';
import { inParallel } from '../parallel';
import { DirectoryRefused, DirectoryUnavailable } from './directory';
import { GROUP_PROPERTIES, pageSchema, parse, toGroup, toPerson } from './graph-objects';
import { HIDDEN_MEMBERS, rolesIn, SYNC_BEHAVIOUR } from './graph-permissions';
import { BATCH_LIMIT, graphReader } from './graph-reader';
import type { BatchCall, GraphReader, GraphSource, Spent } from './graph-reader';

/** A group of the tenant with what a report says of it. */
export interface ListedGroup {
  group: Group;
  /** The cloud has taken over the management of a synchronised group; never where it may not be asked. */
  isCloudManaged: boolean;
  /** Owners that are people; Graph v1.0 lists no service principals. */
  owners: number;
  /** Those of them who can decide. */
  usableOwners: number;
  /** Direct members; `null` where they were not asked for, or may not be seen. */
  members: number | null;
}

/** Some groups, as they come. */
export interface GroupPiece {
  groups: ListedGroup[];
  /** Where a listing that was broken off behind these groups goes on; absent where Graph gives no such place. */
  after?: string;
  /** Groups that were looked at for it, also those that the listing was not asked for. */
  looked: number;
  /** What the listing cost so far. */
  spent: Spent;
}

export interface ListingOptions {
  /** From a place that an earlier listing gave. */
  after?: string;
  /** Groups that Graph gives at once: 1 to 999. `after` stands behind so many. */
  pageSize?: number;
  /** True unless it is said otherwise. Half of what a listing costs of Graph's resource units. */
  countMembers?: boolean;
  /** Only these groups are read in full and given. */
  only?: (group: Group) => boolean;
  signal?: AbortSignal;
}

/** Every group of the tenant. Memory does not grow with their number. */
export interface GroupListing {
  /** How many groups there are; the index behind it may lag. */
  count(): Promise<number>;
  /** What can't be read for want of a permission that only this needs, in a sentence each. */
  off(): Promise<string[]>;
  /** @throws {DirectoryRefused} 400 where `after` has expired. */
  all(options?: ListingOptions): AsyncGenerator<GroupPiece, void>;
  /** Those of the ids that are groups, in the order of the ids. */
  byIds(ids: readonly string[], options?: Pick<ListingOptions, 'countMembers' | 'signal'>): Promise<ListedGroup[]>;
}

/** Of `toPerson` what says whether an owner can decide. */
const OWNERS_SELECT = 'id,displayName,userPrincipalName,mail,accountEnabled,userType';
/** Most that Graph gives on a page. */
export const MOST_ON_A_PAGE = 999;
/** Batches that are under way at once. */
const PARALLEL = 8;
/** Groups that are read in full before they are handed on: two rounds of batches. */
const PIECE = 160;

const countSchema = z.object({ '@odata.count': z.int() });
const syncSchema = z.object({ isCloudManaged: z.boolean().nullish() });

const toOwners = (answer: unknown): Person[] => parse(pageSchema, answer).value.map(toPerson);

const placeSchema = z.strictObject({ size: z.int().min(1).max(MOST_ON_A_PAGE), token: z.string().min(1).max(8_000) });
type Place = z.output<typeof placeSchema>;

function placeOf(after: string): Place | undefined {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(after, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Whether the text can be where a listing goes on. */
export const isPlace = (after: string): boolean => placeOf(after) !== undefined;

/** Whether Graph said that it has forgotten the place: begin anew. */
export const isForgottenPlace = (error: unknown): boolean =>
  error instanceof DirectoryRefused && /PageToken/i.test(error.code);

/** Only the token of a next link is kept: the rest of the address is ours to write. */
function placeIn(nextLink: string, size: number): Place {
  const url = URL.parse(nextLink);
  const token = url?.searchParams.get('$skiptoken') ?? url?.searchParams.get('$skipToken');
  if (token === null || token === undefined || token === '')
    throw new DirectoryUnavailable('Microsoft Graph gave a next page without a token.');
  return { size, token };
}

function* inPieces<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

export interface GroupListingSource extends GraphSource {
  /** Makes only calls that the permissions for joining allow. */
  strict: boolean;
}

/**
 * The listing on Microsoft Graph v1.0: `GET /groups` in pages, and for each page `$batch` with the owners and the number of members of
 * its groups: two resource units a group (https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits).
 * `$expand=owners` would be fewer calls, and gives at most 20 owners, 100 groups on a page, and no count.
 */
export function groupListing({ strict, ...source }: GroupListingSource): GroupListing {
  const readerFor = (signal?: AbortSignal): GraphReader =>
    graphReader({ ...source, ...(signal !== undefined && { signal }) });

  /** Which permissions for more than joining there are: what is not granted is not asked for. */
  const granted = async (): Promise<{ hidden: boolean; sync: boolean }> => {
    const token = strict ? null : await source.credential.getToken(source.scope);
    const roles = (token === null ? undefined : rolesIn(token.token)) ?? [];
    return { hidden: roles.includes(HIDDEN_MEMBERS), sync: roles.includes(SYNC_BEHAVIOUR) };
  };

  type Reading = { reader: GraphReader; countMembers: boolean } & Awaited<ReturnType<typeof granted>>;

  const callsFor = (group: Group, { countMembers, hidden, sync }: Reading): BatchCall[] => {
    const path = `/groups/${encodeURIComponent(group.id)}`;
    return [
      { path: `${path}/owners/microsoft.graph.user?$select=${OWNERS_SELECT}&$top=999` },
      ...(countMembers && (hidden || !group.hiddenMembership)
        ? [{ path: `${path}/members?$count=true&$top=1&$select=id`, eventual: true }]
        : []),
      ...(sync && group.onPremisesSyncEnabled ? [{ path: `${path}/onPremisesSyncBehavior` }] : []),
    ];
  };

  /** The groups with what hangs on them. One that is deleted meanwhile is left out. */
  const complete = async (groups: readonly Group[], reading: Reading): Promise<ListedGroup[]> => {
    const wanted = groups.flatMap((group, index) => callsFor(group, reading).map((call) => ({ ...call, index })));
    const answers: Answers[] = groups.map(() => ({ owners: undefined, members: null, sync: undefined }));
    await inParallel(PARALLEL, [...inPieces(wanted, BATCH_LIMIT)], async (calls) => {
      const bodies = await reading.reader.batch(calls);
      calls.forEach(({ path, index }, n) => {
        const into = answers[index];
        if (into === undefined || bodies[n] === undefined) return;
        if (path.includes('/members?')) into.members = parse(countSchema, bodies[n])['@odata.count'];
        else if (path.endsWith('/onPremisesSyncBehavior')) into.sync = parse(syncSchema, bodies[n]);
        else into.owners = toOwners(bodies[n]);
      });
    });
    return groups.flatMap((group, index): ListedGroup[] => {
      const { owners, members, sync } = answers[index] ?? {};
      if (owners === undefined) return [];
      return [
        {
          group,
          isCloudManaged: sync?.isCloudManaged === true,
          owners: owners.length,
          usableOwners: eligibleApprovers(owners, '').length,
          members: members ?? null,
        },
      ];
    });
  };

  async function* all(options: ListingOptions = {}): AsyncGenerator<GroupPiece, void> {
    const { after, pageSize = MOST_ON_A_PAGE, countMembers = true, only = () => true, signal } = options;
    const reading: Reading = { reader: readerFor(signal), countMembers, ...(await granted()) };
    let place = after === undefined ? undefined : placeOf(after);
    const size = place?.size ?? pageSize;
    let from = after;
    do {
      const skip = place === undefined ? '' : `&$skiptoken=${encodeURIComponent(place.token)}`;
      const answer = await reading.reader.get(`/groups?$select=${GROUP_PROPERTIES}&$top=${String(size)}${skip}`);
      const page = parse(pageSchema, answer);
      const nextLink = page['@odata.nextLink'];
      place = nextLink === undefined ? undefined : placeIn(nextLink, size);
      const next = place && Buffer.from(JSON.stringify(place)).toString('base64url');
      if (next !== undefined && next === from) throw new DirectoryUnavailable('Microsoft Graph gave a page twice.');
      from = next;
      const pieces = [...inPieces(page.value, PIECE)];
      // an empty page is a place too
      for (const [n, piece] of (pieces.length === 0 ? [[]] : pieces).entries()) {
        const groups = await complete(piece.map(toGroup).filter(only), reading);
        const isLast = n >= pieces.length - 1;
        const spent = reading.reader.spent();
        yield { groups, looked: piece.length, spent, ...(isLast && next !== undefined && { after: next }) };
      }
    } while (place !== undefined);
  }

  return {
    count: async () => parse(z.coerce.number().int(), await readerFor().get('/groups/$count', true)),
    off: async () => {
      const { hidden, sync } = await granted();
      return [
        ...(hidden ? [] : [`Members of groups with hidden membership are not counted: that takes ${HIDDEN_MEMBERS}.`]),
        ...(sync
          ? []
          : [
              `Synchronised groups all count as managed on-premises: telling those apart that the cloud manages takes ${SYNC_BEHAVIOUR}.`,
            ]),
      ];
    },
    all,
    byIds: async (ids, { countMembers = false, signal } = {}) => {
      const reading: Reading = { reader: readerFor(signal), countMembers, ...(await granted()) };
      const found: ListedGroup[] = [];
      for (const piece of inPieces(ids, BATCH_LIMIT)) {
        const calls = piece.map((id) => ({ path: `/groups/${encodeURIComponent(id)}?$select=${GROUP_PROPERTIES}` }));
        const bodies = await reading.reader.batch(calls);
        const groups = bodies.flatMap((body) => (body === undefined ? [] : [toGroup(body)]));
        found.push(...(await complete(groups, reading)));
      }
      return found;
    },
  };
}

interface Answers {
  owners: Person[] | undefined;
  members: number | null;
  sync: z.output<typeof syncSchema> | undefined;
}
