import { lay } from './layout';
import type { Block, Message, Row, Tone } from './layout';
import { groupDescribed, periodInWords, requesterDetails } from './facts';
import type { RequestFacts } from './facts';
import { clip, dateInWords, inSeries, nameOf, namesShown, oneLine, writtenText } from './text';

export type { RequestFacts } from './facts';
export type { Message } from './layout';

/** How a request ended. */
export type Outcome =
  | { kind: 'granted'; until?: Date; decidedBy: string[] }
  | { kind: 'denied'; decidedBy: string[]; comment?: string }
  | { kind: 'expired' }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'withdrawn' }
  /** The time of a granted membership is over; `removed` says whether it was Gatehouse's to take back. */
  | { kind: 'ended'; removed: boolean };

/** Asks an approver to decide. `recipient` is the name of the one person for whom the links are; `reminder` and `stage.index` count from 1. */
export function approvalMessage(m: {
  facts: RequestFacts;
  recipient: string;
  deadline?: Date;
  links: { open: string; approve: string; deny: string };
  reminder?: number;
  stage?: { index: number; of: number };
}): Message {
  const { facts, links, deadline } = m;
  const group = nameOf(facts.groupName);
  const reminding = m.reminder !== undefined && m.reminder > 0;
  return lay({
    // Mail programs put mails under one subject, but for "Re:", into one conversation.
    subject: reminding ? `Re: ${stem(facts)}` : stem(facts),
    preview: [
      reminding && 'Reminder: your decision is still open.',
      deadline !== undefined && `Decide by ${dateInWords(deadline)}.`,
      writtenText(facts.justification),
    ]
      .filter((part) => part !== false)
      .join(' '),
    status: { text: approvalStatus(m.reminder, m.stage), tone: reminding ? 'late' : 'open' },
    heading: `${nameOf(facts.requester.name)} asks to join ${group}`,
    blocks: [
      ...requesterBlock(facts),
      reasonBlock(facts),
      {
        kind: 'facts',
        rows: [
          { label: 'For how long', value: periodInWords(facts) },
          ...(deadline === undefined ? [] : [{ label: 'Decide by', value: dateInWords(deadline) }]),
          groupRow(facts),
          { label: 'Can decide as well', value: othersShown(facts.approvers, m.recipient) },
          { label: 'Asked on', value: dateInWords(facts.filedAt) },
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
        text: 'Opening a link decides nothing: you will be asked to sign in and to confirm.',
        link: { label: 'Or open the request without choosing yet', href: links.open },
      },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you may decide who joins ${group}.`,
      'The links are for you alone; to anybody else they show nothing.',
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
  const group = nameOf(m.facts.groupName);
  const { status, tone } = STATUS[m.outcome.kind];
  const told = toRequester(m.outcome, group);
  return lay({
    subject: `${status}: ${stem(m.facts)}`,
    preview: told.sentence,
    status: { text: status, tone },
    heading: told.heading,
    blocks: [
      { kind: 'paragraph', text: told.sentence },
      ...commentBlock(m.outcome),
      { kind: 'facts', rows: outcomeRows(m.facts, m.outcome) },
      ...linkBlock('See the request', m.statusLink),
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because this request to join ${group} was made for you.`,
      referenceLine(m.facts),
    ],
  });
}

/** Tells the other approvers that the request has ended and nothing is left for them to do. `link` opens the receipt. */
export function closedMessage(m: { facts: RequestFacts; outcome: Outcome; recipient: string; link: string }): Message {
  const group = nameOf(m.facts.groupName);
  const { status, tone } = STATUS[m.outcome.kind];
  const sentence = toApprover(m.outcome, nameOf(m.facts.requester.name), group);
  return lay({
    subject: `Re: ${stem(m.facts)}`,
    preview: `Nothing left for you to do. ${sentence}`,
    status: { text: status, tone },
    heading: 'Nothing left for you to do',
    blocks: [
      { kind: 'paragraph', text: sentence },
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
  return `${clip(nameOf(facts.requester.name), 56)} asks to join ${clip(nameOf(facts.groupName), 64)}`;
}

function approvalStatus(reminder = 0, stage?: { index: number; of: number }): string {
  const step = stage !== undefined && stage.of > 1 ? [`step ${stage.index} of ${stage.of}`] : [];
  const what = reminder === 0 ? 'Join request' : reminder === 1 ? 'Reminder' : `Reminder ${reminder}`;
  return [what, ...step].join(' · ');
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

function commentBlock(outcome: Outcome): Block[] {
  const comment = outcome.kind === 'denied' ? writtenText(outcome.comment ?? '') : '';
  return comment === '' ? [] : [{ kind: 'quote', label: 'Their comment', text: comment }];
}

function linkBlock(label: string, href: string | undefined): Block[] {
  return href === undefined ? [] : [{ kind: 'buttons', buttons: [{ label, href, look: 'plain' }] }];
}

function outcomeRows(facts: RequestFacts, outcome: Outcome): Row[] {
  return [
    groupRow(facts),
    outcome.kind === 'granted'
      ? { label: 'Member until', value: outcome.until ? dateInWords(outcome.until) : 'No end date' }
      : { label: 'For how long', value: periodInWords(facts) },
    { label: 'Asked on', value: dateInWords(facts.filedAt) },
  ];
}

function groupRow(facts: RequestFacts): Row {
  const detail = groupDescribed(facts);
  return { label: 'Group', value: nameOf(facts.groupName), ...(detail !== '' && { detail }) };
}

const referenceLine = (facts: RequestFacts): string => `Reference: ${oneLine(facts.reference)}`;

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

const by = (names: readonly string[]): string => (names.length === 0 ? '' : ` by ${inSeries(namesShown(names))}`);

function toRequester(outcome: Outcome, group: string): { heading: string; sentence: string } {
  switch (outcome.kind) {
    case 'granted':
      return {
        heading: `You are now a member of ${group}`,
        sentence: `Approved${by(outcome.decidedBy)}.${outcome.until ? ` Your membership ends on ${dateInWords(outcome.until)}.` : ''}`,
      };
    case 'denied':
      return {
        heading: `Your request to join ${group} was denied`,
        sentence: `Denied${by(outcome.decidedBy)}. Your access has not changed.`,
      };
    case 'expired':
      return {
        heading: `Your request to join ${group} has expired`,
        sentence: 'Nobody decided in time. Your access has not changed, and you may ask again.',
      };
    case 'cancelled':
      return {
        heading: `Your request to join ${group} was cancelled`,
        sentence: `${asSentence(outcome.reason)} Your access has not changed.`,
      };
    case 'withdrawn':
      return {
        heading: `Your request to join ${group} was withdrawn`,
        sentence: 'It will not be decided. Your access has not changed.',
      };
    case 'ended':
      return {
        heading: `The time of your membership in ${group} is over`,
        sentence: outcome.removed
          ? 'You are no longer a member. You may ask again.'
          : 'You may still be a member: that membership does not depend on this request alone, so it was left as it is.',
      };
  }
}

function toApprover(outcome: Outcome, requester: string, group: string): string {
  switch (outcome.kind) {
    case 'granted':
      return `The request was approved${by(outcome.decidedBy)}. ${requester} is now a member of ${group}.`;
    case 'denied':
      return `The request was denied${by(outcome.decidedBy)}. Nothing has changed about ${requester}’s access.`;
    case 'expired':
      return `The request expired before it was decided. Nothing has changed about ${requester}’s access.`;
    case 'cancelled':
      return `The request was cancelled. ${asSentence(outcome.reason)}`;
    case 'withdrawn':
      return `The request was withdrawn. Nothing has changed about ${requester}’s access.`;
    case 'ended':
      return `The time for which ${requester} was to be a member of ${group} is over.`;
  }
}

/** A reason as a sentence of its own. */
function asSentence(reason: string): string {
  const text = clip(oneLine(reason), 400);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
