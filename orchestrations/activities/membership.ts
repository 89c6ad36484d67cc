import { DirectoryRefused } from '../../shared/directory/directory';
import { refuseGroupKind } from '../../shared/domain/eligibility';
import type { JoinRequest } from '../../shared/domain/join-request';
import type { Membership } from '../../shared/records/memberships';
import type { Services } from '../../shared/services';

/**
 * The wish with this grant in it: the person shall be a member. An extension inherits whether Gatehouse added them, where the membership
 * that it goes on with still stands; in any other case it is Gatehouse that adds them.
 */
export function withGrant(
  before: Membership,
  { id: requestId, applying }: Pick<JoinRequest, 'id' | 'applying'>,
  at: Date,
  until: string | undefined,
): Membership {
  const grants = before.grants.filter((live) => live.requestId !== requestId);
  const goesOn = applying?.wasMember === true && before.wanted === 'in' && before.grants.length > 0;
  return {
    wanted: 'in',
    addedByGatehouse: goesOn ? before.addedByGatehouse : true,
    grants: [...grants, { requestId, from: at.toISOString(), ...(until !== undefined && { until }) }],
  };
}

/**
 * The wish without this grant: the person shall leave where no other grant lives and Gatehouse added them. A repeat finds that they shall
 * leave already.
 */
function withoutGrant(before: Membership, requestId: string): Membership {
  const grants = before.grants.filter((live) => live.requestId !== requestId);
  if (grants.length > 0) return { ...before, grants, wanted: 'in' };
  return { ...before, grants, wanted: before.wanted === 'in' && !before.addedByGatehouse ? 'in' : 'out' };
}

/** Once the person has left, a membership that comes after is not Gatehouse's, whatever stood here before. */
function left(before: Membership): Membership {
  return before.wanted === 'out' && before.grants.length === 0 ? { ...before, addedByGatehouse: false } : before;
}

/** Takes the grant out of the membership row, before the directory is changed. @returns what Gatehouse wants then. */
export function dropGrant({ records }: Services, { id, group, requester }: JoinRequest): Promise<Membership> {
  return records.memberships.update(group.id, requester.id, (before) => withoutGrant(before, id));
}

/** Takes the grant out where the directory refused it and the person is no member: nothing is left to be taken back. */
export function dropRefusedGrant(
  { records }: Services,
  { id, group, requester }: Pick<JoinRequest, 'id' | 'group' | 'requester'>,
): Promise<Membership> {
  return records.memberships.update(group.id, requester.id, (before) => left(withoutGrant(before, id)));
}

/**
 * Brings the directory in line with the membership row; reads the row again after, and follows it where it changed meanwhile.
 * @returns how the person stands then: `in` or `out` of the group, `removed` where a membership was taken away, `gone` where the group or
 * the person is not there
 */
export async function makeSo(
  { directory, records }: Services,
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  wish: Membership,
): Promise<'in' | 'out' | 'removed' | 'gone'> {
  let wasRemoved = false;
  for (let wanted = wish.wanted; ;) {
    if (wanted === 'in') {
      if ((await directory.addMember(group.id, requester.id)) === 'gone') return 'gone';
      wasRemoved = false;
    } else {
      wasRemoved = (await directory.removeMember(group.id, requester.id)) === 'removed' || wasRemoved;
    }
    const now =
      wanted === 'in'
        ? await records.memberships.read(group.id, requester.id)
        : await records.memberships.update(group.id, requester.id, left);
    if (now === undefined || now.wanted === wanted) return wanted === 'in' ? 'in' : wasRemoved ? 'removed' : 'out';
    wanted = now.wanted;
  }
}

/** Writes that the person shall be a member by this grant, and brings the directory in line. */
export async function giveGrant(
  services: Services,
  request: Pick<JoinRequest, 'id' | 'applying' | 'group' | 'requester'>,
  at: Date,
  until: string | undefined,
): ReturnType<typeof makeSo> {
  const { group, requester } = request;
  const wish = await services.records.memberships.update(group.id, requester.id, (before) =>
    withGrant(before, request, at, until),
  );
  return makeSo(services, request, wish);
}

/**
 * Brings the directory in line where a grant is taken back.
 * @returns `out-of-reach` where the group can't be changed through Graph any more: the membership is not ours to end then
 */
export async function makeSoWithinReach(
  services: Services,
  request: Pick<JoinRequest, 'group' | 'requester'>,
  wish: Membership,
): Promise<Awaited<ReturnType<typeof makeSo>> | 'out-of-reach'> {
  try {
    return await makeSo(services, request, wish);
  } catch (error) {
    if (error instanceof DirectoryRefused && (await isOutOfReach(services, request.group.id))) return 'out-of-reach';
    throw error;
  }
}

/** Whether the group can't be changed through Graph any more: deleted, dynamic, synchronised, … A refusal is then for good. */
async function isOutOfReach({ directory }: Services, groupId: string): Promise<boolean> {
  const group = await directory.group(groupId);
  if (group === undefined) return true;
  return refuseGroupKind(group, group.onPremisesSyncEnabled && (await directory.isCloudManaged(groupId))) !== undefined;
}
