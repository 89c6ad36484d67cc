import type { Group } from '../domain/eligibility';
import { changeFor, kindOf } from '../domain/self-service-report';
import type { GroupKind, GroupSituation } from '../domain/self-service-report';
import { inParallel } from '../parallel';
import type { PolicyWriter } from '../records/policies';
import { readGround, situationsOf } from '../reports/self-service';
import type { Ground } from '../reports/self-service';
import type { Services } from '../services';
import { checkPolicy, writePolicy } from './write';
import type { WriteResult } from './write';

/** `owners-told`: the announcement was sent to the owners; it is only written down. */
export type SelfServiceAction = 'opt-in' | 'opt-out' | 'owners-told';

/** Which groups; what is left out does not matter. All that is given must hold. */
export interface GroupFilter {
  /** These groups and no others. */
  ids?: readonly string[] | undefined;
  kind?: GroupKind | undefined;
  /** Without regard to case. */
  namePrefix?: string | undefined;
  hasUsableOwner?: boolean | undefined;
  selfService?: GroupSituation['selfService'] | undefined;
}

/** What became of one group. */
export interface Outcome {
  groupId: string;
  displayName: string;
  outcome: 'changed' | 'would-change' | 'unchanged' | 'refused';
  /** Which rule says no, where one does, what it says, and what would change it. */
  rule?: string;
  reason?: string;
  change?: string | null;
}

export interface Bulk {
  outcomes: Outcome[];
  /** Groups that were looked at, whether the filter took them or not. */
  looked: number;
  /** Where the next call goes on; absent where all were looked at. */
  after?: string;
}

/** Groups that are changed at once: each takes a few calls to Microsoft Graph and a transaction. */
const PARALLEL = 4;
/** How often a change is begun again where somebody else changed the same policy. */
const ATTEMPTS = 4;

type Writer = PolicyWriter & { at: Date };
type Refused = Pick<Outcome, 'rule' | 'reason' | 'change'> & { outcome: 'refused' };
type Result = { outcome: Exclude<Outcome['outcome'], 'refused'> } | Refused;

/** Does it to one group. `undefined`: there is no such group. It can be repeated: what stands already is left as it is. */
export async function changeGroup(
  services: Services,
  action: SelfServiceAction,
  groupId: string,
  by: Writer,
): Promise<Outcome | undefined> {
  const ground = await readGround(services);
  const [line] = await situationsOf(services, ground, await services.groups.byIds([groupId]));
  return line && outcomeOf(line, await change(services, ground, action, line, by));
}

/**
 * Does it to the groups that the filter takes, of so many as one call looks at. A call that failed can be made again as it was: what it
 * did stands, and is `unchanged` then. With `dryRun` nothing is written.
 */
export async function changeGroups(
  services: Services,
  action: SelfServiceAction,
  { ids, ...filter }: GroupFilter,
  options: { dryRun: boolean; pageSize: number; after?: string | undefined },
  by: Writer,
): Promise<Bulk> {
  const ground = await readGround(services);
  const piece = ids === undefined ? await onePage(services, ground, filter, options) : undefined;
  const found = piece?.lines ?? (await situationsOf(services, ground, await services.groups.byIds(ids ?? [])));
  const lines = found.filter((line) => takes(filter, line));
  const outcomes: Outcome[] = [];
  await inParallel(PARALLEL, [...lines.entries()], async ([index, line]) => {
    outcomes[index] = outcomeOf(line, await change(services, ground, action, line, options.dryRun ? undefined : by));
  });
  const known = new Set(found.map(({ id }) => id));
  const missing = (ids ?? []).filter((id) => !known.has(id)).map(noSuchGroup);
  return {
    outcomes: [...outcomes, ...missing],
    looked: piece?.looked ?? ids?.length ?? 0,
    ...(piece?.after !== undefined && { after: piece.after }),
  };
}

/** As many groups as one call looks at; only those that can be told to be meant by name and kind are read in full. */
async function onePage(
  services: Services,
  ground: Ground,
  filter: Omit<GroupFilter, 'ids'>,
  { pageSize, after }: { pageSize: number; after?: string | undefined },
): Promise<{ lines: GroupSituation[]; looked: number; after?: string }> {
  const lines: GroupSituation[] = [];
  let looked = 0;
  const only = (group: Group): boolean =>
    named(filter, group.displayName) && (filter.kind === undefined || kindOf(group) === filter.kind);
  const options = { pageSize, only, countMembers: false, ...(after !== undefined && { after }) };
  for await (const piece of services.groups.all(options)) {
    lines.push(...(await situationsOf(services, ground, piece.groups)));
    looked += piece.looked;
    if (piece.after !== undefined) return { lines, looked, after: piece.after };
  }
  return { lines, looked };
}

const named = ({ namePrefix }: GroupFilter, displayName: string): boolean =>
  namePrefix === undefined || displayName.toLocaleLowerCase('en').startsWith(namePrefix.toLocaleLowerCase('en'));

const takes = (filter: GroupFilter, line: GroupSituation): boolean =>
  named(filter, line.displayName) &&
  (filter.kind === undefined || line.kind === filter.kind) &&
  (filter.hasUsableOwner === undefined || filter.hasUsableOwner === line.usableOwners > 0) &&
  (filter.selfService === undefined || filter.selfService === line.selfService);

const outcomeOf = ({ id, displayName }: GroupSituation, result: Result): Outcome => ({
  groupId: id,
  displayName,
  ...result,
});

const noSuchGroup = (id: string): Outcome => ({
  groupId: id,
  displayName: id,
  outcome: 'refused',
  rule: 'group-not-found',
  reason: 'There is no group with this id.',
  change: null,
});

/** One group; without `by` it is only looked at. */
function change(
  services: Services,
  ground: Ground,
  action: SelfServiceAction,
  line: GroupSituation,
  by: Writer | undefined,
): Promise<Result> {
  return action === 'owners-told' ? tell(services, line, by) : opt(services, ground, action, line, by);
}

async function tell({ records }: Services, line: GroupSituation, by: Writer | undefined): Promise<Result> {
  if (line.ownersTold) return { outcome: 'unchanged' };
  if (!line.ownersManage)
    return { outcome: 'refused', rule: line.rule ?? 'undecided', reason: line.reason ?? '', change: line.change };
  if (by === undefined) return { outcome: 'would-change' };
  const written = await records.selfService.markOwnersTold(line.id, by);
  return { outcome: written === 'written' ? 'changed' : 'unchanged' };
}

async function opt(
  services: Services,
  { inForce }: Ground,
  action: 'opt-in' | 'opt-out',
  line: GroupSituation,
  by: Writer | undefined,
): Promise<Result> {
  const scope = { groupId: line.id };
  // what the report says of its kind, before anything is asked again
  if (action === 'opt-in' && line.standing === 'impossible' && line.selfService !== 'opted-in')
    return { outcome: 'refused', rule: line.rule ?? '', reason: line.reason ?? '', change: line.change };
  for (let left = ATTEMPTS; ; left -= 1) {
    const own = await services.records.policies.ofGroup(line.id);
    const wanted = action === 'opt-in';
    // a group without a policy of its own follows the default: opted in it is already, opted out only once that is written
    if (own === undefined ? wanted && inForce.policy.optedIn : own.policy.optedIn === wanted)
      return { outcome: 'unchanged' };
    const policy = { ...(own ?? inForce).policy, optedIn: wanted };
    if (by === undefined) {
      const objection = await checkPolicy(services, scope, policy);
      return objection === undefined ? { outcome: 'would-change' } : refusalOf(objection);
    }
    const result = await writePolicy(services, scope, policy, { ...by, expected: own?.version ?? 'none' }, by.at);
    if (result.kind === 'written') return { outcome: 'changed' };
    if (result.kind !== 'changed') return refusalOf(result);
    if (left <= 1)
      return {
        outcome: 'refused',
        rule: 'changed-meanwhile',
        reason: 'Somebody else is changing the policy of this group.',
        change: 'Try again.',
      };
  }
}

function refusalOf(result: Extract<WriteResult, { kind: 'invalid' | 'refused' }>): Refused {
  if (result.kind === 'refused') {
    const { rule, sentence } = result.refusal;
    return { outcome: 'refused', rule, reason: sentence, change: changeFor(rule) };
  }
  const tooFew = result.errors.every(({ pointer }) => pointer.startsWith('/stages'));
  const reason = result.errors.map(({ detail }) => detail).join(' ');
  return tooFew
    ? { outcome: 'refused', rule: 'no-usable-owner', reason, change: 'Add an owner who can decide, better two.' }
    : {
        outcome: 'refused',
        rule: 'policy-invalid',
        reason,
        change: 'Write the group a policy that names who there is.',
      };
}
