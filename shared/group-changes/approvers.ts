import type { Directory } from '../directory/directory';
import type { Approver } from '../domain/approvers';
import { everyoneOf } from '../domain/approvers';
import type { Approval, GroupChange, Task } from '../domain/group-change';
import type { ApproverSource } from '../domain/policy';
import { whoMayDecide } from '../join-requests/who-may-decide';

type Asked = Pick<Approval, 'approvers' | 'fallback' | 'unreachable'>;

/**
 * Who may decide on a change at this moment: the people whom the policy names, and the fallback approvers where of these nobody can be
 * reached. Nobody decides about a group that shall be their own: neither who asks, nor an owner whom they named.
 */
export async function changeApprovers(
  directory: Directory,
  { task, askedBy }: { task: Task; askedBy: { id: string } },
  { approvers, fallback, unreachable = [] }: Asked,
): Promise<Approver[]> {
  const concerned = new Set([askedBy.id, ...(task.kind === 'create' ? task.wanted.owners.map(({ id }) => id) : [])]);
  const from = async (sources: readonly ApproverSource[]): Promise<Approver[]> => {
    const policy = { stages: [{ parties: [{ approvers: [...sources], required: 1 }] }], fallbackApprovers: [] };
    const parties = await whoMayDecide(directory, { groupId: '', requesterId: askedBy.id, policy, stage: 0 });
    return everyoneOf(parties).filter(({ id }) => !concerned.has(id));
  };
  const people = await from(approvers);
  if (people.some(({ id }) => !unreachable.includes(id)) || fallback.length === 0) return people;
  const others = await from(fallback);
  return [...people, ...others.filter(({ id }) => !people.some((each) => each.id === id))];
}

/** Everyone who may decide a change that waits for a decision. */
export const approversOfChange = async (directory: Directory, change: GroupChange): Promise<Approver[]> =>
  change.approval === undefined || change.state !== 'pending'
    ? []
    : changeApprovers(directory, change, change.approval);
