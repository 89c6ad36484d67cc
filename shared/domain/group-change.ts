import type { Approver } from './approvers';
import type { Facts } from './audit-chain';
import { addDuration } from './duration';
import { GATEHOUSE } from './join-request';
import type { Actor, WaitingFor } from './join-request';
import type { ApproverSource } from './policy';

/** Somebody or something by its id in the directory, with its name as it was then. */
export interface Named {
  id: string;
  name: string;
}

export const GROUP_KINDS = ['security', 'microsoft365'] as const;
export type GroupKind = (typeof GROUP_KINDS)[number];

/** The group that somebody wants to have. */
export interface WantedGroup {
  kind: GroupKind;
  /** As it was wished: without what the tenant's naming policy puts around it. */
  displayName: string;
  /** Derived from the name where it is absent. */
  mailNickname?: string;
  description?: string;
  /** What it is for; whoever approves reads it. */
  purpose: string;
  /** For Microsoft 365 groups. */
  visibility?: 'Public' | 'Private';
  /** ISO 8601 duration: the group lives so long from its creation or last renewal, and no longer than the policy says. */
  expires?: string;
  /** The creator first. */
  owners: Named[];
}

/** What is to be done to somebody in a group. */
export type PersonTask = 'add-owner' | 'remove-owner' | 'hand-over' | 'add-member' | 'remove-member';

/** What is to be changed. */
export type Task =
  | { kind: 'create'; wanted: WantedGroup }
  | { kind: 'describe'; displayName?: string; description?: string | null }
  | {
      kind: PersonTask;
      /** Who is added or removed; for `hand-over` the new owner, in whose favour the asker ceases to be one. */
      person: Named;
    };

/** The states of a change. `failed` is no end: it waits for operations. */
export type ChangeState =
  'pending' | 'approved' | 'applying' | 'done' | 'denied' | 'withdrawn' | 'expired' | 'cancelled' | 'failed';

export interface ChangeDecision {
  personId: string;
  name: string;
  choice: 'approve' | 'deny';
  comment?: string;
  at: string;
}

/** Whom a change waits for, where somebody must approve it. One decision is enough: the first counts. */
export interface Approval {
  approvers: ApproverSource[];
  /** Who decides as well where of the approvers nobody can. */
  fallback: ApproverSource[];
  reminders: string[];
  deadline: string;
  openedAt: string;
  /** When the first mail was accepted: from here reminders and deadline count. */
  askedAt?: string;
  /** Reminders sent so far. */
  reminded: number;
  /** Who may decide, as of the last time it was looked up. */
  people: Approver[];
  /** Ids of those of them whom no mail reaches. */
  unreachable?: string[];
  decision?: ChangeDecision;
}

/** The names under which a group is created: settled before Graph is called, so that every repeat sends the same. */
export interface SettledNames {
  displayName: string;
  mailNickname: string;
}

export interface Applying {
  /** Of a group that is created. */
  names?: SettledNames;
  /** Whether the person who is added was a member then. */
  wasMember?: boolean;
  /** The person who is removed has grants by join requests, which end with the membership. */
  endsGrants?: boolean;
}

/** The change's row: the authority on what stands. Times are ISO 8601 in UTC. */
export interface GroupChange {
  id: string;
  task: Task;
  /** In a creation from when the group stands. */
  group?: Named;
  askedBy: Named;
  askedAt: string;
  /** In which right: as an owner of the group, for themselves, as operator or administrator, or as a member of a group that nobody owns. */
  as: 'creator' | 'owner' | 'self' | 'operator' | 'administrator' | 'member';
  /** Why, where it was said. */
  reason?: string;
  /** The creation policy that it is decided under. */
  policyVersion?: string;
  approval?: Approval;
  state: ChangeState;
  waitingFor: WaitingFor;
  /** Present from `applying` on: what the directory said before it was written to, and what is written. */
  applying?: Applying;
  /** Why it was cancelled or failed, in words. */
  why?: { rule: string; sentence: string };
  /** When the next step is due; null when nothing is left to do, or only operations can do it. */
  due: string | null;
  /** Everyone concerned was told, and the claim was released. */
  told: boolean;
}

export type ChangeEvent =
  | 'change-asked'
  | 'approvers-asked'
  | 'approvers-reminded'
  | 'approvers-unreachable'
  | 'mail-undelivered'
  | 'approved'
  | 'denied'
  | 'withdrawn'
  | 'expired'
  | 'cancelled'
  | 'applying'
  | 'group-created'
  | 'applied'
  | 'failed'
  | 'retried'
  | 'outcome-told';

export interface ChangeEntry {
  event: ChangeEvent;
  at: string;
  by: Actor;
  data?: Record<string, unknown>;
}

/** The row as it shall stand and the entries that say so. */
export interface Step {
  request: GroupChange;
  entries: ChangeEntry[];
}

const iso = (at: Date): string => at.toISOString();

const step = (
  request: GroupChange,
  event: ChangeEvent,
  at: Date,
  by: Actor = GATEHOUSE,
  data?: Record<string, unknown>,
): Step => ({ request, entries: [{ event, at: iso(at), by, ...(data !== undefined && { data }) }] });

/** Ends the wait: the outcome is told now. */
const closing = (change: GroupChange, state: ChangeState, at: Date): GroupChange => ({
  ...change,
  state,
  waitingFor: null,
  due: iso(at),
});

export const isOpen = ({ state }: GroupChange): boolean =>
  state === 'pending' || state === 'approved' || state === 'applying' || state === 'failed';

/** Whether somebody is still to be told: the outcome, or that it could not be applied yet. */
export const isToTell = (change: GroupChange): boolean =>
  change.state === 'failed' ? change.due !== null : !isOpen(change) && !change.told;

/** The person whom the change is about. */
export function personOf(task: Task): Named | undefined {
  return task.kind === 'create' || task.kind === 'describe' ? undefined : task.person;
}

/** Whether the change is something that its asker does to themselves: leaves the group, or ceases to be an owner. */
export const isOwn = ({ task, askedBy }: GroupChange): boolean =>
  (task.kind === 'remove-member' || task.kind === 'remove-owner') && task.person.id === askedBy.id;

/** What the trail keeps of a change: all of it changes only together with an entry. */
export function changeFacts({ state, task, group }: GroupChange): Facts {
  const person = personOf(task);
  return {
    state,
    kind: task.kind,
    ...(group !== undefined && { groupId: group.id }),
    ...(person !== undefined && { personId: person.id }),
    ...(task.kind === 'create' && {
      groupKind: task.wanted.kind,
      displayName: task.wanted.displayName,
      owners: task.wanted.owners.map(({ id }) => id),
      ...(task.wanted.expires !== undefined && { expires: task.wanted.expires }),
    }),
    ...(task.kind === 'describe' && {
      ...(task.displayName !== undefined && { displayName: task.displayName }),
      ...(task.description != null && { description: task.description }),
    }),
  };
}

export interface Asking {
  id: string;
  task: Task;
  group?: Named;
  askedBy: Named;
  as: GroupChange['as'];
  reason?: string;
  policyVersion?: string;
  approval?: Pick<Approval, 'approvers' | 'fallback' | 'reminders' | 'deadline' | 'people'>;
}

export function ask({ approval, ...asking }: Asking, at: Date): Step {
  const { askedBy, reason } = asking;
  const request: GroupChange = {
    ...asking,
    askedAt: iso(at),
    ...(approval !== undefined && { approval: { ...approval, openedAt: iso(at), reminded: 0 } }),
    state: approval === undefined ? 'approved' : 'pending',
    waitingFor: approval === undefined ? 'directory' : 'mail',
    due: iso(at),
    told: false,
  };
  const by: Actor = { kind: 'person', id: askedBy.id, name: askedBy.name };
  return step(request, 'change-asked', at, by, { as: asking.as, ...(reason !== undefined && { reason }) });
}

/** When nobody may decide any more; until somebody was mailed it counts from when the change was asked for. */
export const deadlineOf = ({ openedAt, askedAt, deadline }: Approval): Date =>
  addDuration(new Date(askedAt ?? openedAt), deadline);

const reminderTimes = ({ askedAt, reminders }: Approval): Date[] =>
  askedAt === undefined ? [] : reminders.map((each) => addDuration(new Date(askedAt), each)).sort((a, b) => +a - +b);

/** How many reminders should have been sent by now. */
export const remindersDue = (approval: Approval, at: Date): number =>
  reminderTimes(approval).filter((time) => time <= at).length;

/** Who could not be reached is passed over from now on. */
export interface Asked {
  people: Approver[];
  asked: string[];
  reminded: string[];
  unreachable: string[];
  /** How many of the reminders have been dealt with. */
  reminders: number;
}

/**
 * Mails were accepted: from the first one on the clock runs. `undefined` where nobody waits any more.
 * @param acceptedAt When the mail service had accepted them.
 */
export function asked(change: GroupChange, done: Asked, acceptedAt: Date): Step | undefined {
  if (change.state !== 'pending' || change.approval === undefined) return undefined;
  const askedAt = change.approval.askedAt ?? (done.asked.length > 0 ? iso(acceptedAt) : undefined);
  const unreachable = [...new Set([...(change.approval.unreachable ?? []), ...done.unreachable])];
  const approval: Approval = {
    ...change.approval,
    people: done.people,
    reminded: done.reminders,
    ...(askedAt !== undefined && { askedAt }),
    ...(unreachable.length > 0 && { unreachable }),
  };
  const next = [...reminderTimes(approval).slice(approval.reminded), deadlineOf(approval)][0] ?? acceptedAt;
  const entry = (event: ChangeEvent, people: string[]): ChangeEntry[] =>
    people.length === 0 ? [] : [{ event, at: iso(acceptedAt), by: GATEHOUSE, data: { people } }];
  return {
    request: { ...change, approval, waitingFor: askedAt === undefined ? 'mail' : 'decision', due: iso(next) },
    entries: [
      ...entry('approvers-asked', done.asked),
      ...entry('approvers-reminded', done.reminded),
      ...entry('approvers-unreachable', done.unreachable),
    ],
  };
}

/** A mail that was accepted did not arrive: others are looked for at once, where its reader was to decide. */
export function undelivered(change: GroupChange, personId: string, status: string, at: Date): Step {
  const { approval } = change;
  const waits = change.state === 'pending' && approval?.people.some(({ id }) => id === personId) === true;
  const request: GroupChange =
    waits && approval !== undefined
      ? {
          ...change,
          approval: { ...approval, unreachable: [...new Set([...(approval.unreachable ?? []), personId])] },
          due: iso(at),
        }
      : change;
  return step(request, 'mail-undelivered', at, GATEHOUSE, { people: [personId], status });
}

/** A decision of somebody whose right to it was looked up just now. `undefined` where it is no longer pending. */
export function decide(
  change: GroupChange,
  by: Approver,
  ballot: { choice: 'approve' | 'deny'; comment?: string },
  at: Date,
): Step | undefined {
  if (change.state !== 'pending' || change.approval === undefined) return undefined;
  const { choice, comment } = ballot;
  const decision: ChangeDecision = {
    personId: by.id,
    name: by.displayName,
    choice,
    ...(comment !== undefined && { comment }),
    at: iso(at),
  };
  const decided = { ...change, approval: { ...change.approval, decision } };
  const actor: Actor = { kind: 'person', id: by.id, name: by.displayName };
  const said = comment === undefined ? undefined : { comment };
  return choice === 'approve'
    ? step({ ...decided, state: 'approved', waitingFor: 'directory', due: iso(at) }, 'approved', at, actor, said)
    : step(closing(decided, 'denied', at), 'denied', at, actor, said);
}

/** The asker takes it back. `undefined` where it is no longer pending. */
export const withdraw = (change: GroupChange, by: Actor, at: Date): Step | undefined =>
  change.state === 'pending' ? step(closing(change, 'withdrawn', at), 'withdrawn', at, by) : undefined;

/** `undefined` where the deadline has not come, or it is no longer pending. */
export const expire = (change: GroupChange, at: Date): Step | undefined =>
  change.state === 'pending' && change.approval !== undefined && at >= deadlineOf(change.approval)
    ? step(closing(change, 'expired', at), 'expired', at)
    : undefined;

export const cancel = (
  change: GroupChange,
  why: { rule: string; sentence: string },
  at: Date,
  by: Actor = GATEHOUSE,
): Step => step({ ...closing(change, 'cancelled', at), why }, 'cancelled', at, by, { ...why });

/** Written before the directory is changed: what was checked before is not checked again, and a repeat writes the same. */
export function startApplying(change: GroupChange, applying: Applying, at: Date): Step {
  const request: GroupChange = { ...change, state: 'applying', applying, waitingFor: 'directory', due: iso(at) };
  return step(request, 'applying', at, GATEHOUSE, { ...applying.names });
}

/** The group stands: from now on the change is about it. */
export const created = (change: GroupChange, group: Named, at: Date): Step =>
  step({ ...change, group }, 'group-created', at, GATEHOUSE, { groupId: group.id, displayName: group.name });

export const done = (change: GroupChange, at: Date): Step => step(closing(change, 'done', at), 'applied', at);

/** The directory refused for a reason that only operations can mend. */
export const fail = (change: GroupChange, why: { rule: string; sentence: string }, at: Date): Step =>
  step({ ...change, state: 'failed', why, waitingFor: 'operations', due: iso(at) }, 'failed', at, GATEHOUSE, {
    rule: why.rule,
  });

/** Operations let it be tried again: everything is looked at anew. `undefined` where it has not failed. */
export function retry(change: GroupChange, by: Actor, at: Date): Step | undefined {
  if (change.state !== 'failed') return undefined;
  const { why: _why, applying: _applying, ...rest } = change;
  // of a group that stands only what is missing is done
  const stands = change.task.kind === 'create' && change.group !== undefined;
  const next = { ...rest, waitingFor: 'directory' as const, due: iso(at) };
  return step(
    stands ? { ...next, state: 'applying', applying: {} } : { ...next, state: 'approved' },
    'retried',
    at,
    by,
  );
}

/** The step can't be taken now: the status says what it waits for, and when it is tried again. */
export const postpone = (change: GroupChange, waitingFor: WaitingFor, until: Date): Step => ({
  request: { ...change, waitingFor, due: iso(until) },
  entries: [],
});

/** Everyone concerned was told. Of a change that failed the asker was told so, and it waits for operations. */
export function tell(change: GroupChange, at: Date, who: Record<string, unknown>): Step {
  if (change.state === 'failed') return { request: { ...change, due: null }, entries: [] };
  return step({ ...change, due: null, told: true }, 'outcome-told', at, GATEHOUSE, who);
}
