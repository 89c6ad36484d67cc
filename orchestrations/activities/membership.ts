import type { JoinRequest } from '../../shared/domain/join-request';
import type { Membership } from '../../shared/records/memberships';
import type { Services } from '../../shared/services';

/** The wish with this grant in it: the person shall be a member. */
export function withGrant(before: Membership, requestId: string, at: Date, until: string | undefined): Membership {
  const grants = before.grants.filter((live) => live.requestId !== requestId);
  return {
    wanted: 'in',
    addedByGatehouse: true,
    grants: [...grants, { requestId, from: at.toISOString(), ...(until !== undefined && { until }) }],
  };
}

/** The wish without this grant: the person shall leave where no other grant lives and Gatehouse added them. */
function withoutGrant(before: Membership, requestId: string): Membership {
  const grants = before.grants.filter((live) => live.requestId !== requestId);
  return { ...before, grants, wanted: grants.length > 0 || !before.addedByGatehouse ? 'in' : 'out' };
}

/** Takes the grant out of the membership row, before the directory is changed. @returns what Gatehouse wants then. */
export function dropGrant({ records }: Services, { id, group, requester }: JoinRequest): Promise<Membership> {
  return records.memberships.update(group.id, requester.id, (before) => withoutGrant(before, id));
}

/** Brings the directory in line with the membership row; reads the row again after, and follows it where it changed meanwhile. */
export async function makeSo(
  { directory, records }: Services,
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  wish: Membership,
): Promise<'done' | 'gone'> {
  for (let wanted = wish.wanted; ;) {
    if (wanted === 'in') {
      if ((await directory.addMember(group.id, requester.id)) === 'gone') return 'gone';
    } else {
      await directory.removeMember(group.id, requester.id);
    }
    const now = (await records.memberships.read(group.id, requester.id))?.wanted ?? wanted;
    if (now === wanted) return 'done';
    wanted = now;
  }
}
