import type { ListedGroup, ListingOptions } from '../directory/group-listing';
import type { Spent } from '../directory/graph-reader';
import { isProtected } from '../domain/eligibility';
import { groupSituation } from '../domain/self-service-report';
import type { GroupSituation } from '../domain/self-service-report';
import { inParallel, oneAhead } from '../parallel';
import { defaultPolicy } from '../policies/in-force';
import type { PolicyInForce } from '../policies/in-force';
import type { Services } from '../services';

/** Rows that are read at once. */
const PARALLEL = 16;

/** What holds for all groups, as it stood when it was read. */
export interface Ground {
  inForce: PolicyInForce;
  /** Groups that some policy names. */
  named: ReadonlySet<string>;
}

export async function readGround(services: Services): Promise<Ground> {
  const [inForce, named] = await Promise.all([defaultPolicy(services), services.records.policies.named()]);
  return { inForce, named };
}

/** Some lines of the report. */
export interface ReportPiece {
  lines: GroupSituation[];
  /** Where a report that was broken off behind these lines goes on. */
  after?: string;
  /** Groups that were looked at for it. */
  looked: number;
  spent: Spent;
}

/** Every group of the tenant with where it stands, as it is read. Each group stands as it was when its line was written. */
export async function* situations(
  services: Services,
  ground: Ground,
  options: ListingOptions = {},
): AsyncGenerator<ReportPiece, void> {
  for await (const { groups, ...piece } of oneAhead(services.groups.all(options)))
    yield { ...piece, lines: await situationsOf(services, ground, groups) };
}

/** Where these groups stand. */
export async function situationsOf(
  { config, records }: Services,
  { inForce, named }: Ground,
  groups: readonly ListedGroup[],
): Promise<GroupSituation[]> {
  const lines: GroupSituation[] = [];
  await inParallel(PARALLEL, [...groups.entries()], async ([index, listed]) => {
    const { own, toldAt } = await records.selfService.read(listed.group.id);
    const ofAll = inForce.policy.optedIn ? 'opted-in' : 'undecided';
    lines[index] = groupSituation({
      ...listed,
      isProtected: named.has(listed.group.id) || isProtected(listed.group, config.PROTECTED_GROUPS),
      selfService: own === undefined ? ofAll : own.optedIn ? 'opted-in' : 'opted-out',
      policy: own === undefined ? inForce.version : `group@${String(own.version)}`,
      ownersTold: toldAt !== undefined,
    });
  });
  return lines;
}
