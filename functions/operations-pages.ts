import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { approvals, approvedBy, deadlineOf, isOpen, requiredAt } from '../shared/domain/join-request';
import type { JoinRequest, WaitingFor } from '../shared/domain/join-request';
import { LONGEST_EXTENSION_DAYS, MOST_NAMED } from '../shared/domain/operations';
import { sentenceOf } from '../shared/join-requests/timeline';
import type { Action, ActionName } from '../shared/operations/act';
import { failedRequests, running, stuckRequests } from '../shared/operations/overview';
import type { Running } from '../shared/operations/overview';
import { resendable } from '../shared/operations/resendable';
import { dateInWords, durationInWords, inSeries } from '../shared/mail/text';
import type { Brief } from '../shared/records/brief';
import { briefOf } from '../shared/records/brief';
import type { Dossier } from '../shared/records/join-requests';
import type { Subject } from '../shared/records/lists';
import type { Found } from '../shared/records/operations-notes';
import type { Mail } from '../shared/records/mail-rows';
import { parseFields, readFields } from '../shared/web/body';
import { formToken, isOurForm } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import type { Fact } from '../shared/web/pages/fact-list';
import { actionPage, foundPage, operatedPage, overviewPage } from '../shared/web/pages/operations';
import type { ActionField, Listed, ListedRequest, Reading } from '../shared/web/pages/operations';
import { fieldErrors, Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { door, hasRole } from './door';
import type { Visit } from './door';
import { queryOf } from './paging';
import { mailKey, orchestrationOf, perform, personIdOf, possible, runs, underWay } from './operations';
import { asPage, seeOther, signInFirst, signOutFirst } from './page-answers';
import { groupId, personName, reasonText, requestParams } from './parameters';
import { notFromHere } from './posted-form';

type RequestVisit = Visit<z.output<typeof requestParams>>;

const HOME = '/api/ops';
const requestPath = (id: string): string => `${HOME}/requests/${id}`;

/** So many failed and stuck requests stand on top of the first page. */
const TOP = 10;
const PAGE_SIZE = 25;
const FOUND_SIZE = 10;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The sweeper comes each minute. */
const SWEEPER_LATE_MS = 5 * MINUTE_MS;
/** The reconcile comes each night. */
const RECONCILE_LATE_MS = 2 * DAY_MS;

/** The signed-in operator, or the page that is shown instead: the same whatever is behind the address. */
function operator(
  { caller, services }: Visit<unknown>,
  path: string,
  failure: number,
): { name: string; id: string } | HttpResponseInit {
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  return hasRole(caller, ROLES.operations) ? { name: caller.name, id: caller.id } : signOutFirst(path, failure);
}

/** `3 days`, `5 hours`, `12 minutes`: the largest unit that there is more than one of. */
export function ageInWords(ms: number): string {
  const units = [
    ['day', DAY_MS],
    ['hour', 3_600_000],
    ['minute', MINUTE_MS],
  ] as const;
  const [unit, length] = units.find(([, each]) => ms >= 2 * each) ?? ['minute', MINUTE_MS];
  const count = Math.floor(ms / length);
  if (count < 1) return 'less than a minute';
  return `${String(count)} ${unit}${count === 1 ? '' : 's'}`;
}

const WAITS: Record<NonNullable<WaitingFor>, string> = {
  mail: 'its mails wait to be sent',
  decision: 'waits for a decision',
  directory: 'waits for Microsoft Graph',
  operations: 'waits for operations',
};

function standingInWords({ state, stage, waitingFor }: Brief): string {
  const at = state === 'pending' && stage.of > 1 ? `, stage ${String(stage.number)} of ${String(stage.of)}` : '';
  return `${state}${at}${waitingFor === null ? '' : `: ${WAITS[waitingFor]}`}`;
}

const listed = (brief: Brief, at: Date, trouble?: string): ListedRequest => ({
  href: requestPath(brief.id),
  group: brief.group.name,
  requester: brief.requester.name,
  standing: standingInWords(brief),
  filedAt: new Date(brief.filedAt),
  age: ageInWords(at.getTime() - new Date(brief.filedAt).getTime()),
  ...(trouble !== undefined && { trouble }),
});

const pathWith = (query: Record<string, string>): string => `${HOME}?${String(new URLSearchParams(query))}`;

const homeQuery = z.object({
  after: z.string().max(200).optional(),
  only: z.literal('failed').optional(),
  of: groupId.optional(),
  in: z.enum(['person', 'group']).optional(),
});

async function showHome(
  visit: Visit<unknown>,
  signedInAs: string,
  query: z.output<typeof homeQuery>,
  shown: { problem?: string; typed?: string; status?: number } = {},
): Promise<HttpResponseInit> {
  const { token, cookie } = formToken(visit.request.headers);
  const search = { action: HOME, token, ...(shown.typed !== undefined && { typed: shown.typed }) };
  const common = { signedInAs, search, ...(shown.problem !== undefined && { problem: shown.problem }) };
  const page =
    query.of === undefined
      ? overviewPage({ ...common, ...(await overviewOf(visit, query)) })
      : foundPage({ ...common, back: HOME, lists: await foundOf(visit, query.of, query) });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

async function overviewOf(
  { services, at }: Visit<unknown>,
  { after, only }: { after?: string | undefined; only?: 'failed' | undefined },
): Promise<{ failed?: Listed; stuck?: Listed; readings?: Reading[]; open: Listed }> {
  const { lists } = services.records;
  if (only === 'failed') {
    const { rows } = await failedRequests(services, 100);
    return { open: { rows: rows.map((brief) => listed(brief, at, brief.reason)) } };
  }
  const byAge = async (oldest?: string): Promise<{ rows: Brief[]; more?: string }> => {
    const from = oldest === undefined ? undefined : new Date(oldest);
    const { rows, next } = await lists.byAge(PAGE_SIZE, after ?? '', from);
    return { rows, ...(next !== undefined && { more: pathWith({ after: next }) }) };
  };
  if (after !== undefined) {
    const { rows, ...more } = await byAge();
    return { open: { rows: rows.map((brief) => listed(brief, at)), ...more } };
  }
  const present = running(services, at);
  const [open, failed, stuck, { notes, quota, permissions }] = await Promise.all([
    present.then((known) => byAge(known.notes.open?.oldestFiledAt)),
    failedRequests(services, TOP),
    stuckRequests(services, at, TOP),
    present,
  ]);
  const onTop = new Set([...failed.rows, ...stuck.rows].map(({ id }) => id));
  const { rows, ...more } = open;
  return {
    failed: {
      rows: failed.rows.map((brief) => listed(brief, at, brief.reason ?? 'The directory refused the change.')),
      ...(failed.more && { more: pathWith({ only: 'failed' }) }),
    },
    stuck: {
      rows: stuck.rows.map((brief) =>
        listed(brief, at, 'Its next step is late: the sweeper takes it up within two minutes, or says why it can’t.'),
      ),
      ...(stuck.more && { more: HOME }),
    },
    readings: readingsOf({ notes, quota, permissions }, at),
    open: { rows: rows.filter(({ id }) => !onTop.has(id)).map((brief) => listed(brief, at)), ...more },
  };
}

const number = (count: number): string => count.toLocaleString('en');

/** How Gatehouse runs, in words; each says of when it is. */
function readingsOf({ notes, quota, permissions }: Running, at: Date): Reading[] {
  const { open, throttled, sweeper, purge, reconcile } = notes;
  const ago = (time: string): string => `${ageInWords(at.getTime() - new Date(time).getTime())} ago`;
  const share = ({ used, of }: { used: number; of: number }): string => `${number(used)} of ${number(of)}`;
  const repairs = Object.values(sweeper?.repairs ?? {}).reduce((sum, count) => sum + count, 0);
  const isLate = sweeper === undefined || at.getTime() - new Date(sweeper.at).getTime() > SWEEPER_LATE_MS;
  const atLeast = open?.atLeast === true ? 'at least ' : '';
  return [
    open === undefined
      ? { label: 'Open', text: 'Not counted yet: they are counted every five minutes.' }
      : {
          label: 'Open',
          text: `${
            open.open === undefined ? `At least ${number(open.soFar)}` : number(open.open)
          } (${atLeast}${number(open.approved)} approved and being applied, ${number(open.failed)} failed, ${number(open.overdue)} late), counted ${ago(open.countedAt ?? open.at)}`,
        },
    ...(open?.oldestFiledAt === undefined ? [] : [{ label: 'Oldest', text: `Filed ${ago(open.oldestFiledAt)}` }]),
    {
      label: 'Mail',
      text: `${open === undefined ? '' : `${atLeast}${number(open.waitingForMail)} requests wait for mail to go out. `}Used: ${share(quota.minute)} in this minute, ${share(quota.hour)} in this hour`,
      bad: quota.hour.used >= quota.hour.of,
    },
    {
      label: 'Microsoft Graph',
      text: `${open === undefined ? '' : `${atLeast}${number(open.waitingForDirectory)} requests wait for it. `}${
        throttled === undefined ? 'It never answered 429' : `It last answered 429 ${ago(throttled.at)}`
      }`,
      bad: throttled !== undefined && at.getTime() - new Date(throttled.at).getTime() < 10 * MINUTE_MS,
    },
    {
      label: 'Permissions',
      text: permissionsInWords(permissions),
      bad: permissions.graphPermissions === 'missing' || permissions.graphPermissions === 'more-than-needed',
    },
    {
      label: 'Sweeper',
      text:
        sweeper === undefined
          ? 'It has not run yet'
          : `Ran ${ago(sweeper.at)}, in ${number(sweeper.tookMs)} ms; ${number(repairs)} repairs in the last day`,
      bad: isLate,
    },
    {
      label: 'Nightly reconcile',
      text: `${reconcile === undefined ? 'None has ended yet' : `Last ended ${ago(reconcile.endedAt)}: ${foundInWords(reconcile.found)}`}${
        underWay(notes) === undefined ? '' : '. One runs now'
      }`,
      bad:
        reconcile !== undefined &&
        (at.getTime() - new Date(reconcile.endedAt).getTime() > RECONCILE_LATE_MS || leftOver(reconcile.found) > 0),
    },
    ...(purge === undefined
      ? []
      : [{ label: 'Housekeeping', text: `Ran ${ago(purge.at)}; purged ${number(purge.purged)} finished histories` }]),
  ];
}

/** What the reconcile could not mend, and waits for somebody. */
const leftOver = ({ late, stranded, nobodyLeft, failed }: Found): number => late + stranded + nobodyLeft + failed;

function foundInWords(found: Found): string {
  const mended = found.openRows + found.lists + found.claims + found.madeDue;
  const looked = found.requests + found.changes + found.memberships + found.lives + found.groups;
  const more = [
    [found.late, 'late by an hour or more'],
    [found.stranded, 'whose grant is over and has no request'],
    [found.nobodyLeft, 'groups with too few owners, and nobody who can be asked'],
    [found.failed, 'that could not be looked at'],
    [found.inactive, 'whose account is disabled or gone'],
    [found.unasked, 'for which Microsoft Graph was not asked'],
  ] as const;
  const rest = more.filter(([count]) => count > 0).map(([count, what]) => `${number(count)} ${what}`);
  return [`${number(looked)} looked at`, `${number(mended)} mended`, ...rest].join(', ');
}

function permissionsInWords({ graphPermissions, missing, excessive }: Running['permissions']): string {
  switch (graphPermissions) {
    case 'as-needed':
      return 'As needed';
    case 'missing':
      return `Missing: ${missing.join(', ')}`;
    case 'more-than-needed':
      return `More than needed: ${excessive.join(', ')}`;
    case 'unknown':
      return 'Not known: the identity gave no token that can be read';
  }
}

async function foundOf(
  { services, at }: Visit<unknown>,
  id: string,
  query: { after?: string | undefined; in?: Subject | undefined },
): Promise<{ heading: string; listed: Listed }[]> {
  const { records } = services;
  const subjects: Subject[] = query.in === undefined ? ['person', 'group'] : [query.in];
  return Promise.all(
    subjects.map(async (kind) => {
      const { ids, next } = await records.lists.of(kind, id, FOUND_SIZE, query.after ?? '');
      const found = await Promise.all(ids.map((each) => records.requests.read(each)));
      const rows = found.flatMap((stored) =>
        stored === undefined ? [] : [listed(briefOf(stored.request), at, stored.request.reason?.sentence)],
      );
      return {
        heading: kind === 'person' ? 'Asked for by or for this person' : 'For this group',
        listed: { rows, ...(next !== undefined && { more: pathWith({ of: id, in: kind, after: next }) }) },
      };
    }),
  );
}

const home = door({
  name: 'showOperationsPage',
  method: 'GET',
  route: 'ops',
  admits: 'anyone',
  rule: 'Facts only for signed-in people with the operations role; changes nothing.',
  params: z.record(z.string(), z.string()),
  page: asPage,
  handle: async (visit) => {
    const signed = operator(visit, HOME, 200);
    if (!('name' in signed)) return signed;
    return showHome(visit, signed.name, queryOf(visit.request, homeQuery));
  },
});

const searchForm = z.strictObject({ token: z.string().default(''), find: z.string().max(200).default('') });

/** Searches are posted, so that no name stands in an address or in the log of addresses. */
const finding = door({
  name: 'postOperationsSearch',
  method: 'POST',
  route: 'ops',
  admits: 'anyone',
  rule: 'Counts only for signed-in people with the operations role, from our own form; changes nothing.',
  params: z.record(z.string(), z.string()),
  page: asPage,
  handle: async (visit) => {
    const signed = operator(visit, HOME, 403);
    if (!('name' in signed)) return signed;
    const { token, find } = parseFields(await readFields(visit.request), searchForm);
    const again = (problem: string, status: number): Promise<HttpResponseInit> =>
      showHome(visit, signed.name, {}, { problem, status, typed: find });
    if (!isOurForm(visit.request.headers, token, visit.services.config.PUBLIC_BASE_URL))
      return again(notFromHere('try'), 403);

    const wanted = find.trim();
    const reference = requestParams.shape.requestId.safeParse(wanted.toLowerCase());
    if (reference.success)
      return (await visit.services.records.requests.read(reference.data)) === undefined
        ? again('There is no request of this reference.', 404)
        : seeOther(requestPath(reference.data));
    const name = personName.safeParse(wanted);
    if (!name.success)
      return again('Give an object id, a user principal name, or the 32 digits of a request’s reference.', 400);
    const id = await personIdOf(visit, name.data);
    return id === undefined ? again('There is nobody of this name.', 404) : seeOther(pathWith({ of: id }));
  },
});

/** The operator and the request, or the page that is shown instead. */
async function operated(
  visit: RequestVisit,
  failure: number,
): Promise<{ name: string; id: string; dossier: Dossier } | HttpResponseInit> {
  const signed = operator(visit, requestPath(visit.params.requestId), failure);
  if (!('name' in signed)) return signed;
  const dossier = await visit.services.records.requests.dossier(visit.params.requestId);
  if (dossier === undefined) throw problems.notFound('There is no request of this reference.');
  return { ...signed, dossier };
}

/** Each action: how it is offered, what happens, and the event by which the trail says that it was done. */
const ACTIONS: Record<
  ActionName,
  { offer: string; heading: string; button: string; event: string; done: string; hint: string }
> = {
  retry: {
    offer: 'Try the application again',
    heading: 'Try the application again',
    button: 'Try again',
    event: 'retried',
    done: 'It is tried again.',
    hint: 'It stands in the request’s trail under your name.',
  },
  reroute: {
    offer: 'Give the decision to other people',
    heading: 'Give the decision to other people',
    button: 'Give it to them',
    event: 'rerouted',
    done: 'They are asked now.',
    hint: 'It stands in the request’s trail under your name.',
  },
  extend: {
    offer: 'Give more time to decide',
    heading: 'Give more time to decide',
    button: 'Move the deadline',
    event: 'deadline-extended',
    done: 'The deadline was moved.',
    hint: 'It stands in the request’s trail under your name.',
  },
  restart: {
    offer: 'Start its workflow again',
    heading: 'Start the workflow again',
    button: 'Start it',
    event: 'restarted',
    done: 'The workflow is started.',
    hint: 'It stands in the request’s trail under your name.',
  },
  cancel: {
    offer: 'Cancel it',
    heading: 'Cancel the request',
    button: 'Cancel the request',
    event: 'cancelled',
    done: 'The request is cancelled.',
    hint: 'Requester and approvers are told it, and it stands in the trail under your name.',
  },
  resend: {
    offer: 'Send a mail again',
    heading: 'Send the mail again',
    button: 'Send it again',
    event: 'mail-resent',
    done: 'The mail is sent again.',
    hint: 'It stands in the request’s trail under your name.',
  },
};
const actionName = z.enum(Object.keys(ACTIONS) as [ActionName, ...ActionName[]]);

const KINDS: Record<string, string> = {
  ask: 'Asks to decide',
  remind: 'Reminder',
  nudge: 'Reminder that the requester asked for',
  filed: 'Says that it was filed',
  outcome: 'The outcome',
  closed: 'The outcome, for who was asked',
  delayed: 'Says that it is late',
  ended: 'Says that the membership ended',
  warn: 'Says that the membership ends soon',
};
const STATUSES: Record<Mail['status'], string> = {
  queued: 'Waits to be sent',
  accepted: 'Accepted by the mail service',
  refused: 'Refused by the mail service',
  undelivered: 'Not delivered',
};
const kindOf = ({ key }: Mail): string => KINDS[key.split('_')[0] ?? ''] ?? key;

async function showOperated(
  visit: RequestVisit,
  { name, id, dossier }: { name: string; id: string; dossier: Dossier },
): Promise<HttpResponseInit> {
  const { request, at } = visit;
  const standing = dossier.stored.request;
  const orchestration = await orchestrationOf(visit, standing.id);
  const again = new Set(resendable(dossier, at).map(({ key }) => key));
  const path = requestPath(standing.id);
  const linkTo = (query: Record<string, string>): string => `${path}?${String(new URLSearchParams(query))}`;
  const wanted = actionName.safeParse(request.query.get('done'));
  const done = wanted.success && wasJustDone(dossier, ACTIONS[wanted.data].event, id, at) ? wanted.data : undefined;
  const page = operatedPage({
    signedInAs: name,
    back: HOME,
    heading: `${standing.requester.name} for ${standing.group.name}`,
    facts: factsOf(standing, at),
    justification: standing.justification,
    workflow: workflowFacts(orchestration),
    offers: possible(standing, runs(orchestration)).map((action) => ({
      href: linkTo({ action }),
      text: ACTIONS[action].offer,
    })),
    mails: [...dossier.mails.values()].map((mail) => ({
      what: kindOf(mail),
      to: mail.to.name,
      standing: `${STATUSES[mail.status]}${mail.copy === undefined ? '' : `, copy ${String(mail.copy + 1)}`}${mail.refusal === undefined ? '' : `: ${mail.refusal}`}`,
      ...(again.has(mail.key) && { again: linkTo({ action: 'resend', mail: mail.key }) }),
    })),
    timeline: dossier.trail.map((entry) => ({
      at: new Date(entry.at),
      text: `${sentenceOf(entry)}${quoted(entry.data)}`,
      ...(entry.by.kind !== 'gatehouse' && { by: entry.by.name ?? `app ${entry.by.id}` }),
    })),
    ...(done !== undefined && { done: ACTIONS[done].done }),
  });
  return pageResponse(200, page);
}

/** The page says that something was done only where the trail does. */
function wasJustDone({ trail }: Dossier, event: string, by: string, at: Date): boolean {
  return trail.some(
    (entry) =>
      entry.event === event && entry.by.id === by && at.getTime() - new Date(entry.at).getTime() < 5 * MINUTE_MS,
  );
}

/** What somebody wrote beside an entry. */
function quoted(data: Record<string, unknown> = {}): string {
  const words = data['reason'] ?? data['comment'] ?? data['sentence'];
  return typeof words === 'string' ? ` “${words}”` : '';
}

function factsOf(request: JoinRequest, at: Date): Fact[] {
  const { stage, policy, filedBy, due, reason, grant } = request;
  const pending = request.state === 'pending';
  const names = stage.approvers.map(({ displayName }) => displayName);
  return [
    ['State', standingInWords(briefOf(request))],
    ['Why', reason?.sentence],
    [
      'Filed',
      `${dateInWords(new Date(request.filedAt))}, ${ageInWords(at.getTime() - new Date(request.filedAt).getTime())} ago`,
    ],
    ['Filed by', filedBy.kind === 'app' ? `A system, ${filedBy.id}` : 'The requester'],
    ['Next step', due === null || !(isOpen(request) || !request.told) ? undefined : dateInWords(new Date(due))],
    ['Deadline', pending ? dateInWords(deadlineOf(request)) : undefined],
    ['Stage', `${String(stage.index + 1)} of ${String(policy.stages.length)}`],
    [
      'Who decides',
      pending ? `${inSeries(names)}${stage.routedTo === undefined ? '' : ', named by operations'}` : undefined,
    ],
    ['Approvals', pending ? `${String(approvals(stage))} of ${String(requiredAt(request))}` : undefined],
    ['Approved by', inSeries(approvedBy(request).map(({ name }) => name)) || undefined],
    ['Asked for', request.duration === undefined ? 'Without an end' : durationInWords(request.duration)],
    ['Member until', grant?.until === undefined ? undefined : dateInWords(new Date(grant.until))],
    ['Policy', `Version ${request.policyVersion}`],
    ['Group', `${request.group.name} (${request.group.id})`],
    ['Requester', `${request.requester.name} (${request.requester.id})`],
    ['Reference', request.id],
  ];
}

function workflowFacts(orchestration: Awaited<ReturnType<typeof orchestrationOf>>): Fact[] {
  if (orchestration === null)
    return [['Engine', 'It knows no workflow of this request: none was started, or its history was purged.']];
  const { runtimeStatus, customStatus } = orchestration;
  const status = z
    .object({ state: z.string(), waitingFor: z.string().nullish(), due: z.string().nullish() })
    .safeParse(customStatus);
  return [
    ['Engine', runtimeStatus],
    ['As it last saw it', status.success ? status.data.state : undefined],
    ['It waits until', status.success && status.data.due != null ? dateInWords(new Date(status.data.due)) : undefined],
  ];
}

interface Typed {
  reason?: string | undefined;
  people?: string | undefined;
  required?: string | undefined;
  days?: string | undefined;
}

/** Asks to confirm the action, or shows the request where it can't be done (any more). */
async function showAction(
  visit: RequestVisit,
  signed: { name: string; id: string; dossier: Dossier },
  wanted: { action: ActionName; mail?: string | undefined },
  shown: { problem?: string; status?: number; typed?: Typed } = {},
): Promise<HttpResponseInit> {
  const { dossier, name } = signed;
  const standing = dossier.stored.request;
  const path = requestPath(standing.id);
  const mail = resendable(dossier, visit.at).find(({ key }) => key === wanted.mail);
  const isPossible =
    wanted.action === 'resend'
      ? mail !== undefined
      : possible(standing, runs(await orchestrationOf(visit, standing.id))).includes(wanted.action);
  if (!isPossible && shown.problem === undefined) return seeOther(path);
  const { heading, button, hint } = ACTIONS[wanted.action];
  const { token, cookie } = formToken(visit.request.headers);
  const { typed = {} } = shown;
  const page = actionPage({
    signedInAs: name,
    back: path,
    heading,
    about: `${standing.requester.name} for ${standing.group.name}: ${standingInWords(briefOf(standing))}`,
    consequences: consequencesOf(wanted.action, standing, mail),
    fields: fieldsOf(wanted.action, typed),
    reason: { hint, ...(typed.reason !== undefined && { value: typed.reason }) },
    form: {
      action: path,
      token,
      name: wanted.action,
      ...(wanted.mail !== undefined && { hidden: { mail: wanted.mail } }),
    },
    button,
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

function consequencesOf(action: ActionName, request: JoinRequest, mail: Mail | undefined): string[] {
  switch (action) {
    case 'cancel':
      return [
        'The request ends, and can’t be opened again.',
        'The requester and everyone who was asked are told, with your reason.',
      ];
    case 'retry':
      return [
        'Everything is checked again first: requester, group, and whether those who approved may still decide.',
        'What the directory refused for good it refuses again, unless that was mended.',
      ];
    case 'reroute':
      return [
        'The people you name are asked by mail, and decide instead of those whom the group’s policy names.',
        'The links of those asked before show them only how the request stands. Their votes count only where you name them again.',
        'Reminders and deadline of this stage begin anew. The policy itself, and other stages, stay as they are.',
      ];
    case 'extend':
      return [
        `It stays open to be decided beyond ${dateInWords(deadlineOf(request))}.`,
        'Nobody is mailed about this now; who decides sees the new deadline on their page.',
      ];
    case 'restart':
      return [
        'The workflow is started under the same name. It reads how the request stands, and goes on from there.',
        'Nothing that was done is done twice.',
      ];
    case 'resend':
      return [
        `${mail === undefined ? 'The mail' : `“${kindOf(mail)}” to ${mail.to.name}`} is written anew, as things stand now, and sent once more.`,
        'A second copy may arrive: the first one may only be late.',
        ...(mail?.status === 'undelivered' || mail?.status === 'refused'
          ? [
              'It goes to the address that the directory has now. Where that one does not take mail either, it is noted again.',
            ]
          : []),
      ];
  }
}

const EXTENSIONS = ['1', '3', '7', '14', '30'];

function fieldsOf(action: ActionName, typed: Typed): ActionField[] {
  if (action === 'extend')
    return [
      {
        kind: 'choice',
        name: 'days',
        label: 'How much longer',
        hint: `Counted from the present deadline. At most ${String(LONGEST_EXTENSION_DAYS)} days from now.`,
        value: typed.days ?? '7',
        options: EXTENSIONS.map((value) => ({ value, text: value === '1' ? '1 day' : `${value} days` })),
      },
    ];
  if (action !== 'reroute') return [];
  return [
    {
      kind: 'text',
      name: 'people',
      label: 'Who shall decide',
      hint: `Object ids or user principal names, one a line, at most ${String(MOST_NAMED)}. Not the requester, and not yourself.`,
      rows: 3,
      ...(typed.people !== undefined && { value: typed.people }),
    },
    {
      kind: 'number',
      name: 'required',
      label: 'How many of them must approve',
      hint: 'From one to all whom you name.',
      value: Number(typed.required ?? 1) || 1,
      most: MOST_NAMED,
    },
  ];
}

const actionQuery = z.object({ action: actionName, mail: mailKey.optional() });

const showingRequest = door({
  name: 'showOperatedRequest',
  method: 'GET',
  route: 'ops/requests/{requestId}',
  admits: 'anyone',
  rule: 'Facts only for signed-in people with the operations role; changes nothing.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await operated(visit, 200);
    if (!('name' in signed)) return signed;
    const action = actionQuery.safeParse(Object.fromEntries(visit.request.query));
    return action.success ? showAction(visit, signed, action.data) : showOperated(visit, signed);
  },
});

const people = z
  .string()
  .max(3_000, 'Name fewer people.')
  .transform((text) => text.split(/[\s,;]+/).filter((each) => each !== ''))
  .pipe(z.array(personName).min(1, 'Name at least one person.').max(MOST_NAMED, 'Name fewer people.'));
const common = { token: z.string().default(''), reason: reasonText };
const actionForm = z.discriminatedUnion('action', [
  z.strictObject({ ...common, action: z.literal('cancel') }),
  z.strictObject({ ...common, action: z.literal('retry') }),
  z.strictObject({ ...common, action: z.literal('restart') }),
  z.strictObject({ ...common, action: z.literal('resend'), mail: mailKey }),
  z.strictObject({
    ...common,
    action: z.literal('extend'),
    days: z.coerce.number().int().min(1).max(LONGEST_EXTENSION_DAYS),
  }),
  z.strictObject({
    ...common,
    action: z.literal('reroute'),
    people,
    required: z.coerce.number().int('Give a whole number.').min(1, 'At least one must approve.').max(MOST_NAMED),
  }),
]);

async function actionOf(
  visit: RequestVisit,
  form: z.output<typeof actionForm>,
  standing: JoinRequest,
): Promise<Action> {
  const { token: _token, ...action } = form;
  if (action.action === 'extend') {
    const from = Math.max(deadlineOf(standing).getTime(), visit.at.getTime());
    return { action: 'extend', reason: action.reason, until: new Date(from + action.days * DAY_MS) };
  }
  if (action.action === 'restart') return { ...action, runs: runs(await orchestrationOf(visit, standing.id)) };
  return action;
}

const acting = door({
  name: 'postOperatedRequest',
  method: 'POST',
  route: 'ops/requests/{requestId}',
  admits: 'anyone',
  rule: 'Counts only for signed-in people with the operations role, from our own form, with a reason.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await operated(visit, 403);
    if (!('name' in signed)) return signed;
    const standing = signed.dossier.stored.request;
    const fields = await readFields(visit.request);
    const wanted = actionQuery.safeParse(fields);
    if (!wanted.success) throw problems.badRequest(fieldErrors(wanted.error));
    const { reason, people: named, required, days } = fields;
    // what was typed is shown again with whatever is wrong with it
    const again = (problem: string, status: number): Promise<HttpResponseInit> =>
      showAction(visit, signed, wanted.data, { problem, status, typed: { reason, people: named, required, days } });

    if (!isOurForm(visit.request.headers, fields['token'] ?? '', visit.services.config.PUBLIC_BASE_URL))
      return again(notFromHere('confirm'), 403);
    try {
      await perform(visit, await actionOf(visit, parseFields(fields, actionForm), standing));
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      return again(error.inWords(), error.status);
    }
    return seeOther(`${requestPath(standing.id)}?done=${wanted.data.action}`);
  },
});

export const doors = [home, finding, showingRequest, acting] as const;
