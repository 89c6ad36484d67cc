import type { Person } from '../domain/eligibility';
import { isOwn } from '../domain/group-change';
import type { GroupChange } from '../domain/group-change';
import type { ChangeFacts, ChangeOutcome } from '../mail/change-messages';

/** What mails and pages tell of a change; the asker as the directory knows them now, or as they were named then. */
export function changeFactsOf(change: GroupChange, asker?: Person): ChangeFacts {
  const { id, task, group, askedBy, askedAt, reason } = change;
  return {
    reference: id,
    groupName: group?.name ?? (task.kind === 'create' ? task.wanted.displayName : ''),
    askedBy: {
      name: asker?.displayName ?? askedBy.name,
      ...(asker?.jobTitle != null && { jobTitle: asker.jobTitle }),
      ...(asker?.department != null && { department: asker.department }),
      ...(asker !== undefined && { address: asker.mail ?? asker.userPrincipalName }),
    },
    askedAt: new Date(askedAt),
    ...(reason !== undefined && { reason }),
    what: whatOf(change),
  };
}

function whatOf(change: GroupChange): ChangeFacts['what'] {
  const { task } = change;
  switch (task.kind) {
    case 'create': {
      const { kind: groupKind, description, purpose, owners, visibility, expires } = task.wanted;
      return {
        kind: 'create',
        groupKind,
        purpose,
        owners: owners.map(({ name }) => name),
        ...(description !== undefined && { description }),
        ...(visibility !== undefined && { visibility }),
        ...(expires !== undefined && { expires }),
      };
    }
    case 'describe':
      return task;
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
    case 'add-member':
    case 'remove-member':
      return { kind: task.kind, person: task.person.name, isOwn: isOwn(change) || change.as === 'member' };
  }
}

/** How it ended, in the terms of mails and pages; `undefined` while it is open and nothing is to be told. */
export function changeOutcome({ state, approval, why }: GroupChange): ChangeOutcome | undefined {
  const decision = approval?.decision;
  const comment = decision?.comment === undefined ? {} : { comment: decision.comment };
  switch (state) {
    case 'done':
      return { kind: 'done', ...(decision !== undefined && { decidedBy: decision.name, ...comment }) };
    case 'denied':
      return { kind: 'denied', decidedBy: decision?.name ?? '', ...comment };
    case 'expired':
    case 'withdrawn':
      return { kind: state };
    case 'cancelled':
      return { kind: 'cancelled', reason: why?.sentence ?? '' };
    case 'failed':
      return { kind: 'delayed' };
    case 'pending':
    case 'approved':
    case 'applying':
      return undefined;
  }
}
