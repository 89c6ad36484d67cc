import { lay } from './layout';
import type { Block, ListItem, Message, Row, Tone } from './layout';
import {
  approvalsInWords,
  groupDescribed,
  headlineOf,
  periodInWords,
  presentEnd,
  requesterDetails,
  wishOf,
} from './facts';
import type { RequestFacts } from './facts';
import { clip, dateInWords, durationInWords, inSeries, nameOf, namesShown, oneLine, writtenText } from './text';

export type { RequestFacts } from './facts';
export type { Message } from './layout';

/** How a request ended. */
export type Outcome =
  | {
      kind: 'granted';
      until?: Date;
      decidedBy: string[];
      /** What the approvers wrote; the requester is shown it, nobody else. */
      comments?: { by: string; text: string }[];
      /** The ISO 8601 duration that was asked for, or `no end`, where a decider gave less. */
      shortenedFrom?: string;
      /** An extension was granted in time: the person has been a member throughout. */
      continues?: boolean;
    }
  | {
      kind: 'denied';
      decidedBy: string[];
      /** What those who denied wrote; the requester is shown it, nobody else. */
      comments?: { by: string; text: string }[];
      /** When the cool-down is over. */
      mayAskAgainOn?: Date;
    }
  | { kind: 'expired' }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'withdrawn' }
  | Ended;

/** A granted membership that is over. */
export interface Ended {
  kind: 'ended';
  /** Whether Gatehouse took the membership back; it leaves alone what was not its own, and what was gone already. */
  removed: boolean;
  /** Another grant kept the person in the group: there is nothing to tell. */
  covered?: boolean;
  /**
   * Its time was over (also where this is absent), the member left, somebody had removed the member before, it was revoked, or the group
   * is gone.
   */
  how?: 'lapsed' | 'left' | 'removed' | 'revoked' | 'group-deleted';
  /** Why it was revoked, as it was given. */
  reason?: string;
  /** Who revoked it. */
  by?: string;
}

/**
 * Asks an approver to decide. `recipient` is the name of the one person for whom the links are; `stage.index` counts from 1. `reminder`:
 * `due` by the policy, or `nudged`, asked for by the requester. `required`: how many must approve, and how many have.
 */
export function approvalMessage(m: {
  facts: RequestFacts;
  recipient: string;
  deadline?: Date;
  links: { open: string; approve: string; deny: string };
  reminder?: 'due' | 'nudged';
  stage?: { index: number; of: number };
  required?: { count: number; approvals: number };
}): Message {
  const { facts, links, deadline } = m;
  const group = nameOf(facts.groupName);
  const nudged = m.reminder === 'nudged';
  const reminding = m.reminder !== undefined;
  const byRequester = `${nameOf(facts.requester.name)} asked for this reminder: your decision is still open.`;
  return lay({
    // Mail programs put mails under one subject, but for "Re:", into one conversation.
    subject: reminding ? `Re: ${stem(facts)}` : stem(facts),
    preview: [
      nudged ? byRequester : reminding && 'Reminder: your decision is still open.',
      deadline !== undefined && `Decide by ${dateInWords(deadline)}.`,
      writtenText(facts.justification),
    ]
      .filter((part) => part !== false)
      .join(' '),
    status: { text: approvalStatus(facts, reminding, m.stage), tone: reminding ? 'late' : 'open' },
    heading: headlineOf(facts),
    blocks: [
      ...requesterBlock(facts),
      ...(nudged ? [{ kind: 'paragraph' as const, text: byRequester }] : []),
      reasonBlock(facts),
      {
        kind: 'facts',
        rows: [
          ...periodRows(facts),
          ...(deadline === undefined ? [] : [{ label: 'Decide by', value: dateInWords(deadline) }]),
          ...requiredRows(m.required),
          groupRow(facts),
          { label: 'Can decide as well', value: othersShown(facts.approvers, m.recipient) },
          askedRow(facts),
        ],
      },
      {
        kind: 'buttons',
        buttons: [
          { label: 'Approve', href: links.approve, look: 'approve' },
          { label: 'Deny', href: links.deny, look: 'deny' },
        ],
      },
      {
        kind: 'note',
        text: NOTHING_BY_OPENING,
        link: { label: 'Or open the request without choosing yet', href: links.open },
      },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you may decide who ${facts.extension === undefined ? 'joins' : 'stays in'} ${group}.`,
      'The links are for you alone; to anybody else they show nothing.',
      referenceLine(facts),
    ],
  });
}

/**
 * Asks an approver with several open requests to decide, in one list with the most urgent first. Each `link` is the recipient's
 * own. A mail has room for {@link DIGEST_LENGTH} of them.
 */
export function digestMessage(m: {
  recipient: string;
  items: { facts: RequestFacts; deadline?: Date; link: string }[];
}): Message {
  const count = m.items.length;
  const heading =
    count === 1 ? '1 join request waits for your decision' : `${count} join requests wait for your decision`;
  const due = ({ deadline }: { deadline?: Date }): number => deadline?.getTime() ?? Infinity;
  const urgent = m.items.toSorted((a, b) => (due(a) < due(b) ? -1 : due(a) > due(b) ? 1 : 0));
  const shown = urgent.slice(0, DIGEST_LENGTH);
  const left = count - shown.length;
  return lay({
    subject: heading,
    preview: clip(shown.map(({ facts }) => headlineOf(facts)).join('; '), 240),
    status: { text: 'Waiting for you', tone: 'open' },
    heading,
    blocks: [
      { kind: 'list', items: shown.map(digestItem) },
      ...(left === 0 ? [] : [{ kind: 'paragraph' as const, text: leftOut(left) }]),
      { kind: 'note', text: NOTHING_BY_OPENING },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you may decide on ${count === 1 ? 'this request' : 'these requests'}.`,
      `${shown.length === 1 ? 'The link is' : 'The links are'} for you alone; to anybody else ${shown.length === 1 ? 'it shows' : 'they show'} nothing.`,
    ],
  });
}

/**
 * Tells the requester that the request is filed, who can decide, and what happens next. `deadline` is when it expires if those
 * people have not decided; `nudge` is a sentence on how to remind them.
 */
export function filedMessage(m: {
  facts: RequestFacts;
  recipient: string;
  statusLink: string;
  deadline?: Date;
  nudge?: string;
}): Message {
  const { facts, deadline } = m;
  const next = [
    'Gatehouse asks the people who can decide.',
    ...(deadline === undefined ? [] : [`If they have not decided by ${dateInWords(deadline)}, the request expires.`]),
    'You get a mail when it is decided or closed.',
  ].join(' ');
  const nudge = oneLine(m.nudge ?? '');
  return lay({
    subject: `Filed: ${stem(facts)}`,
    preview: next,
    status: { text: 'Filed', tone: 'open' },
    heading: `Your request to ${wishOf(facts)} ${nameOf(facts.groupName)} is filed`,
    blocks: [
      { kind: 'paragraph', text: next },
      reasonBlock(facts),
      {
        kind: 'facts',
        rows: [
          ...(facts.approvers.length === 0 ? [] : [{ label: 'Can decide', value: namesShown(facts.approvers) }]),
          ...periodRows(facts),
          groupRow(facts),
          askedRow(facts),
        ],
      },
      ...linkBlock('See the request', m.statusLink),
      ...(nudge === '' ? [] : [{ kind: 'note' as const, text: nudge }]),
    ],
    footer: requesterFooter(facts, m.recipient),
  });
}

/** Tells the requester that the request was approved, and that the directory refused the change for now. */
export function delayedMessage(m: {
  facts: RequestFacts;
  recipient: string;
  decidedBy: string[];
  statusLink: string;
}): Message {
  const { facts } = m;
  const sentence = `Approved${by(m.decidedBy)}, but the directory refused the change for now. ${unchanged(facts)}`;
  return lay({
    subject: `Delayed: ${stem(facts)}`,
    preview: sentence,
    status: { text: 'Approved · delayed', tone: 'late' },
    heading: `Your request to ${wishOf(facts)} ${nameOf(facts.groupName)} is approved, but not applied yet`,
    blocks: [
      { kind: 'paragraph', text: sentence },
      {
        kind: 'paragraph',
        text: 'The people who run Gatehouse look into it. There is nothing for you to do; you get a mail when it is settled.',
      },
      { kind: 'facts', rows: [groupRow(facts), ...periodRows(facts), askedRow(facts)] },
      ...linkBlock('See the request', m.statusLink),
    ],
    footer: requesterFooter(facts, m.recipient),
  });
}

/** Warns a member that the membership is about to end. `link` opens the page on which the member can ask to stay, let it lapse, or leave. */
export function endingMessage(m: { facts: RequestFacts; recipient: string; until: Date; link: string }): Message {
  const { facts } = m;
  const group = nameOf(facts.groupName);
  const until = dateInWords(m.until);
  return lay({
    subject: `Your membership in ${clip(group, 64)} ends on ${until}`,
    preview: 'You can ask to stay, let it lapse, or leave now.',
    status: { text: 'Ends soon', tone: 'late' },
    heading: `Your membership in ${group} ends soon`,
    blocks: [
      {
        kind: 'paragraph',
        text: `It ends on ${until}. You can ask to stay, let it lapse without any more of these mails, or leave now.`,
      },
      { kind: 'facts', rows: [groupRow(facts), { label: 'Member until', value: until }, askedRow(facts)] },
      ...linkBlock('Choose what happens', m.link),
      { kind: 'note', text: 'Opening the link changes nothing: you will be asked to sign in and to choose.' },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because your membership in ${group} was granted for a time.`,
      'The link is for you alone; to anybody else it shows nothing.',
      referenceLine(facts),
    ],
  });
}

/** Tells the requester how the request ended. */
export function outcomeMessage(m: {
  facts: RequestFacts;
  outcome: Outcome;
  recipient: string;
  statusLink?: string;
}): Message {
  const { status, tone } = statusOf(m.outcome);
  const told = toRequester(m.outcome, m.facts);
  return lay({
    subject: `${status}: ${stem(m.facts)}`,
    preview: told.sentence,
    status: { text: status, tone },
    heading: told.heading,
    blocks: [
      { kind: 'paragraph', text: told.sentence },
      ...commentBlocks(m.outcome),
      ...revokedBlock(m.outcome),
      { kind: 'facts', rows: outcomeRows(m.facts, m.outcome) },
      ...linkBlock('See the request', m.statusLink),
    ],
    footer: requesterFooter(m.facts, m.recipient),
  });
}

/** Tells the other approvers that the request has ended and nothing is left for them to do. `link` opens the receipt. */
export function closedMessage(m: { facts: RequestFacts; outcome: Outcome; recipient: string; link: string }): Message {
  const { status, tone } = statusOf(m.outcome);
  const sentence = toApprover(m.outcome, m.facts);
  return lay({
    subject: `Re: ${stem(m.facts)}`,
    preview: `Nothing left for you to do. ${sentence}`,
    status: { text: status, tone },
    heading: 'Nothing left for you to do',
    blocks: [
      { kind: 'paragraph', text: sentence },
      ...revokedBlock(m.outcome),
      {
        kind: 'facts',
        rows: [{ label: 'Asked by', value: nameOf(m.facts.requester.name) }, ...outcomeRows(m.facts, m.outcome)],
      },
      ...linkBlock('See what happened', m.link),
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you were asked to decide on this request.`,
      'The link is for you alone; to anybody else it shows nothing.',
      referenceLine(m.facts),
    ],
  });
}

/** The `References` header of every mail about a request: one thread, whatever order the mails come in. */
export function references(requestId: string, domain: string): string {
  const safe = (text: string): string => text.replace(/[^A-Za-z0-9.-]/g, '-');
  return `<join-${safe(requestId)}@${safe(domain)}>`;
}

/** What all subjects of one request share. Short enough for 150 characters with what is put before it. */
function stem(facts: RequestFacts): string {
  return `${clip(nameOf(facts.requester.name), 56)} asks to ${wishOf(facts)} ${clip(nameOf(facts.groupName), 64)}`;
}

const NOTHING_BY_OPENING = 'Opening a link decides nothing: you will be asked to sign in and to confirm.';

/** How many requests a digest lists; Gmail cuts mails of more than 102 kB. */
export const DIGEST_LENGTH = 25;

function digestItem({ facts, deadline, link }: { facts: RequestFacts; deadline?: Date; link: string }): ListItem {
  const period = facts.duration === undefined ? 'Without an end date' : `For ${durationInWords(facts.duration)}`;
  const reason = clip(oneLine(facts.justification), 180);
  return {
    title: headlineOf(facts),
    lines: [
      ...(deadline === undefined ? [] : [`Decide by ${dateInWords(deadline)}`]),
      period,
      ...(reason === '' ? ['No reason was given.'] : []),
    ],
    ...(reason !== '' && { quote: reason }),
    link: { label: 'Open the request', href: link },
  };
}

const leftOut = (left: number): string =>
  left === 1
    ? '1 more request waits for your decision; it is not more urgent than these.'
    : `${left} more requests wait for your decision; none of them is more urgent than these.`;

function approvalStatus(facts: RequestFacts, reminding: boolean, stage?: { index: number; of: number }): string {
  const step = stage !== undefined && stage.of > 1 ? [`step ${stage.index} of ${stage.of}`] : [];
  const asking = facts.extension === undefined ? 'Join request' : 'Request to stay';
  return [reminding ? 'Reminder' : asking, ...step].join(' · ');
}

function requesterBlock(facts: RequestFacts): Block[] {
  const lines = requesterDetails(facts);
  return lines.length === 0 ? [] : [{ kind: 'subtitle', lines }];
}

function reasonBlock(facts: RequestFacts): Block {
  const reason = writtenText(facts.justification);
  if (reason === '') return { kind: 'note', text: 'No reason was given.' };
  return { kind: 'quote', label: 'The reason, as it was given', text: reason };
}

function quoteBlock(label: string, text: string | undefined): Block[] {
  const written = writtenText(text ?? '');
  return written === '' ? [] : [{ kind: 'quote', label, text: written }];
}

const commentBlocks = (outcome: Outcome): Block[] =>
  outcome.kind === 'granted' || outcome.kind === 'denied'
    ? (outcome.comments ?? []).flatMap(({ by, text }) => quoteBlock(`Comment by ${nameOf(by)}`, text))
    : [];

const revokedBlock = (outcome: Outcome): Block[] =>
  outcome.kind === 'ended' && outcome.how === 'revoked'
    ? quoteBlock('The reason, as it was given', outcome.reason)
    : [];

function linkBlock(label: string, href: string | undefined): Block[] {
  return href === undefined ? [] : [{ kind: 'buttons', buttons: [{ label, href, look: 'plain' }] }];
}

function outcomeRows(facts: RequestFacts, outcome: Outcome): Row[] {
  const granted: Row[] =
    outcome.kind === 'granted'
      ? [
          { label: 'Member until', value: outcome.until ? dateInWords(outcome.until) : 'No end date' },
          ...(outcome.shortenedFrom === undefined
            ? []
            : [{ label: 'Asked for', value: askedForInWords(outcome.shortenedFrom) }]),
        ]
      : [{ label: 'For how long', value: periodInWords(facts) }];
  return [groupRow(facts), ...granted, askedRow(facts)];
}

const askedForInWords = (duration: string): string =>
  duration === 'no end' ? 'No end date' : durationInWords(duration);

function periodRows(facts: RequestFacts): Row[] {
  const end = presentEnd(facts);
  return [
    { label: 'For how long', value: periodInWords(facts) },
    ...(end === undefined ? [] : [{ label: 'Membership ends', value: end }]),
  ];
}

const requiredRows = (required?: { count: number; approvals: number }): Row[] =>
  required === undefined || required.count < 2
    ? []
    : [{ label: 'Approvals', value: approvalsInWords(required.count, required.approvals) }];

const askedRow = (facts: RequestFacts): Row => ({ label: 'Asked on', value: dateInWords(facts.filedAt) });

function groupRow(facts: RequestFacts): Row {
  const detail = groupDescribed(facts);
  return { label: 'Group', value: nameOf(facts.groupName), ...(detail !== '' && { detail }) };
}

const referenceLine = (facts: RequestFacts): string => `Reference: ${oneLine(facts.reference)}`;

const requesterFooter = (facts: RequestFacts, recipient: string): string[] => [
  `You get this mail, ${nameOf(recipient)}, because this request to ${wishOf(facts)} ${nameOf(facts.groupName)} was made for you.`,
  referenceLine(facts),
];

/** The names without the recipient's own, which is left out once: somebody else may have the same. */
function othersShown(approvers: readonly string[], recipient: string): string[] {
  const own = approvers.indexOf(recipient);
  const others = own === -1 ? approvers : approvers.toSpliced(own, 1);
  return others.length === 0 ? ['Nobody else'] : namesShown(others);
}

const STATUS: Readonly<Record<Outcome['kind'], { status: string; tone: Tone }>> = {
  granted: { status: 'Approved', tone: 'good' },
  denied: { status: 'Denied', tone: 'bad' },
  expired: { status: 'Expired', tone: 'late' },
  cancelled: { status: 'Cancelled', tone: 'late' },
  withdrawn: { status: 'Withdrawn', tone: 'open' },
  ended: { status: 'Ended', tone: 'open' },
};

const statusOf = (outcome: Outcome): { status: string; tone: Tone } =>
  outcome.kind === 'ended' && outcome.how === 'revoked' ? { status: 'Revoked', tone: 'bad' } : STATUS[outcome.kind];

const by = (names: readonly string[]): string => (names.length === 0 ? '' : ` by ${inSeries(namesShown(names))}`);

const sentences = (...parts: (string | false | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');

/** What stands for the requester where the request changed nothing. */
function unchanged(facts: RequestFacts): string {
  const end = presentEnd(facts);
  return end === undefined ? 'Your access has not changed.' : `The end of your membership has not changed: ${end}.`;
}

function shortened({ shortenedFrom }: { shortenedFrom?: string }): string | undefined {
  if (shortenedFrom === undefined) return undefined;
  return `The time was shortened; the request was for ${shortenedFrom === 'no end' ? 'membership without an end date' : durationInWords(shortenedFrom)}.`;
}

function toRequester(outcome: Outcome, facts: RequestFacts): { heading: string; sentence: string } {
  const group = nameOf(facts.groupName);
  const request = `Your request to ${wishOf(facts)} ${group}`;
  switch (outcome.kind) {
    case 'granted':
      return {
        heading: outcome.continues === true ? `You stay a member of ${group}` : `You are now a member of ${group}`,
        sentence: sentences(
          `Approved${by(outcome.decidedBy)}.`,
          outcome.continues === true && 'Your membership continues without a gap.',
          outcome.until && `Your membership ends on ${dateInWords(outcome.until)}.`,
          shortened(outcome),
        ),
      };
    case 'denied':
      return {
        heading: `${request} was denied`,
        sentence: sentences(
          `Denied${by(outcome.decidedBy)}.`,
          unchanged(facts),
          outcome.mayAskAgainOn && `You may ask again from ${dateInWords(outcome.mayAskAgainOn)}.`,
        ),
      };
    case 'expired':
      return {
        heading: `${request} has expired`,
        sentence: `It was not decided in time. ${
          facts.extension === undefined ? 'Your access has not changed, and you may ask again.' : unchanged(facts)
        }`,
      };
    case 'cancelled':
      return {
        heading: `${request} was cancelled`,
        sentence: sentences(
          asSentence(outcome.reason),
          facts.extension === undefined
            ? 'Your access has not changed.'
            : 'The request has changed nothing about your membership.',
        ),
      };
    case 'withdrawn':
      return {
        heading: `${request} was withdrawn`,
        sentence: `It will not be decided. ${unchanged(facts)}`,
      };
    case 'ended':
      return endedToRequester(outcome, group);
  }
}

function endedToRequester(ended: Ended, group: string): { heading: string; sentence: string } {
  const { how = 'lapsed', removed } = ended;
  const left =
    'You may still be a member: Gatehouse takes back only what it gave, and only in groups that it can change.';
  switch (how) {
    case 'lapsed':
      return {
        heading: `The time of your membership in ${group} is over`,
        sentence: removed ? 'You are no longer a member. You may ask again.' : left,
      };
    case 'left':
      return removed
        ? { heading: `You have left ${group}`, sentence: 'You are no longer a member. You may ask again.' }
        : { heading: `You asked to leave ${group}`, sentence: left };
    case 'removed':
      return {
        heading: `Your membership in ${group} is over`,
        sentence: 'When its time came, somebody had already removed you from the group. Gatehouse has changed nothing.',
      };
    case 'group-deleted':
      return {
        heading: `Your membership in ${group} is over`,
        sentence: 'The group was deleted, and your membership ended with it.',
      };
    case 'revoked':
      return {
        heading: `Your membership in ${group} was revoked`,
        sentence: sentences(`Revoked${revoker(ended)}.`, removed ? 'You are no longer a member.' : left),
      };
  }
}

function toApprover(outcome: Outcome, facts: RequestFacts): string {
  const requester = nameOf(facts.requester.name);
  const group = nameOf(facts.groupName);
  switch (outcome.kind) {
    case 'granted':
      return sentences(
        `The request was approved${by(outcome.decidedBy)}.`,
        outcome.continues === true
          ? `${requester} stays a member of ${group}.`
          : `${requester} is now a member of ${group}.`,
        shortened(outcome),
      );
    case 'denied':
      return `The request was denied${by(outcome.decidedBy)}. Nothing has changed about ${requester}’s access.`;
    case 'expired':
      return `The request expired before it was decided. Nothing has changed about ${requester}’s access.`;
    case 'cancelled':
      return sentences('The request was cancelled.', asSentence(outcome.reason));
    case 'withdrawn':
      return `The request was withdrawn. Nothing has changed about ${requester}’s access.`;
    case 'ended':
      return endedToApprover(outcome, requester, group);
  }
}

function endedToApprover(ended: Ended, requester: string, group: string): string {
  const { how = 'lapsed', removed } = ended;
  const still =
    !removed &&
    `${requester} may still be a member: Gatehouse takes back only what it gave, and only in groups that it can change.`;
  switch (how) {
    case 'lapsed':
      return sentences(`The time for which ${requester} was to be a member of ${group} is over.`, still);
    case 'left':
      return sentences(removed ? `${requester} has left ${group}.` : `${requester} asked to leave ${group}.`, still);
    case 'removed':
      return `When the time came, somebody had already removed ${requester} from ${group}.`;
    case 'group-deleted':
      return `${group} was deleted, and the membership of ${requester} ended with it.`;
    case 'revoked':
      return sentences(
        `The membership was revoked${revoker(ended)}.`,
        removed ? `${requester} is no longer a member of ${group}.` : still,
      );
  }
}

const revoker = (ended: Ended): string => (ended.by === undefined ? '' : by([ended.by]));

/** A reason as a sentence of its own. */
function asSentence(reason: string): string {
  const text = clip(oneLine(reason), 400);
  return text === '' || /[.!?…]$/.test(text) ? text : `${text}.`;
}
