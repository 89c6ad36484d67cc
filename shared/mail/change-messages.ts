import { lay } from './layout';
import type { Block, Message, Row, Tone } from './layout';
import { clip, dateInWords, durationInWords, inSeries, nameOf, namesShown, oneLine, writtenText } from './text';

/** What mails and pages tell of a change of a group. Texts are as the directory or the asker gave them. */
export interface ChangeFacts {
  reference: string;
  /** The group's name; of one that is to be created, the name that was wished. */
  groupName: string;
  askedBy: { name: string; jobTitle?: string; department?: string; address?: string };
  askedAt: Date;
  /** Why, where it was said. */
  reason?: string;
  /** What is changed. */
  what:
    | {
        kind: 'create';
        groupKind: 'security' | 'microsoft365';
        description?: string;
        purpose: string;
        owners: string[];
        visibility?: string;
        /** ISO 8601: how long it lives without being renewed, where that was asked for. */
        expires?: string;
      }
    | { kind: 'describe'; displayName?: string; description?: string | null }
    | {
        kind: 'add-owner' | 'remove-owner' | 'hand-over' | 'add-member' | 'remove-member';
        person: string;
        isOwn: boolean;
      };
}

/** How a change ended. `delayed`: the directory refused it for now, and operations look into it. */
export type ChangeOutcome =
  | { kind: 'done'; decidedBy?: string; comment?: string }
  | { kind: 'denied'; decidedBy: string; comment?: string }
  | { kind: 'expired' }
  | { kind: 'withdrawn' }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'delayed' };

export const groupKindInWords = (kind: 'security' | 'microsoft365'): string =>
  kind === 'security' ? 'Security group' : 'Microsoft 365 group';

/** Who wants what, in a line: heading of whatever is about the change. */
export function changeHeadline({ askedBy, groupName, what }: ChangeFacts): string {
  const asker = nameOf(askedBy.name);
  const group = nameOf(groupName);
  switch (what.kind) {
    case 'create':
      return `${asker} asks to create the group ${group}`;
    case 'describe':
      return `${asker} changes the description of ${group}`;
    case 'add-owner':
      return what.isOwn
        ? `${asker} offers to take over ${group}`
        : `${asker} makes ${nameOf(what.person)} an owner of ${group}`;
    case 'hand-over':
      return `${asker} hands ${group} over to ${nameOf(what.person)}`;
    case 'remove-owner':
      return what.isOwn
        ? `${asker} ceases to be an owner of ${group}`
        : `${asker} removes ${nameOf(what.person)} from the owners of ${group}`;
    case 'add-member':
      return `${asker} adds ${nameOf(what.person)} to ${group}`;
    case 'remove-member':
      return what.isOwn ? `${asker} leaves ${group}` : `${asker} removes ${nameOf(what.person)} from ${group}`;
  }
}

/** What the asker wanted, to stand behind "Your wish to". */
function wishInWords({ groupName, what }: ChangeFacts): string {
  const group = nameOf(groupName);
  switch (what.kind) {
    case 'create':
      return `create the group ${group}`;
    case 'describe':
      return `change the description of ${group}`;
    case 'add-owner':
      return what.isOwn ? `take over ${group}` : `make ${nameOf(what.person)} an owner of ${group}`;
    case 'hand-over':
      return `hand ${group} over to ${nameOf(what.person)}`;
    case 'remove-owner':
      return what.isOwn ? `cease to own ${group}` : `remove ${nameOf(what.person)} from the owners of ${group}`;
    case 'add-member':
      return `add ${nameOf(what.person)} to ${group}`;
    case 'remove-member':
      return what.isOwn ? `leave ${group}` : `remove ${nameOf(what.person)} from ${group}`;
  }
}

/** What a page or a mail lists of the change, besides what the asker wrote. */
export function changeRows({ groupName, what, askedAt }: ChangeFacts): Row[] {
  const asked: Row = { label: 'Asked on', value: dateInWords(askedAt) };
  const named: Row = { label: 'Group', value: nameOf(groupName) };
  switch (what.kind) {
    case 'create': {
      const description = clip(oneLine(what.description ?? ''), 300);
      return [
        { ...named, ...(description !== '' && { detail: description }) },
        { label: 'Kind', value: groupKindInWords(what.groupKind) },
        ...(what.visibility === undefined ? [] : [{ label: 'Visibility', value: oneLine(what.visibility) }]),
        { label: 'Owners', value: namesShown(what.owners) },
        ...(what.expires === undefined
          ? []
          : [{ label: 'Expires', value: `${durationInWords(what.expires)} after it was created or renewed` }]),
        asked,
      ];
    }
    case 'describe':
      return [
        named,
        ...(what.displayName === undefined ? [] : [{ label: 'New name', value: nameOf(what.displayName) }]),
        ...(what.description === undefined
          ? []
          : [{ label: 'New description', value: clip(oneLine(what.description ?? ''), 300) || 'None' }]),
        asked,
      ];
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
    case 'add-member':
    case 'remove-member':
      return [named, asked];
  }
}

/** Job and department, and the address, a line each. */
export function askerDetails({ askedBy }: ChangeFacts): string[] {
  const place = [askedBy.jobTitle, askedBy.department].map((text) => clip(oneLine(text ?? ''), 160));
  const lines = [place.filter((text) => text !== '').join(' · '), oneLine(askedBy.address ?? '')];
  return lines.filter((line) => line !== '');
}

const quote = (label: string, text: string | undefined): Block[] => {
  const written = writtenText(text ?? '');
  return written === '' ? [] : [{ kind: 'quote', label, text: written }];
};

const reasonBlocks = ({ what, reason }: ChangeFacts): Block[] =>
  what.kind === 'create'
    ? quote('What it is for, as it was given', what.purpose)
    : quote('The reason, as it was given', reason);

const reference = (facts: ChangeFacts): string => `Reference: ${oneLine(facts.reference)}`;

const subjectOf = (facts: ChangeFacts): string => clip(changeHeadline(facts), 140);

/**
 * Asks somebody to decide on a group that is to be created, or on who takes over one that nobody owns. The links are for the recipient
 * alone; `reminder` counts from 1.
 */
export function changeApprovalMessage(m: {
  facts: ChangeFacts;
  recipient: string;
  deadline: Date;
  links: { open: string; approve: string; deny: string };
  others: string[];
  reminder?: number;
}): Message {
  const { facts, links, deadline, reminder = 0 } = m;
  const details = askerDetails(facts);
  const isNew = facts.what.kind === 'create';
  return lay({
    subject: reminder > 0 ? `Re: ${subjectOf(facts)}` : subjectOf(facts),
    preview: `${reminder > 0 ? 'Reminder: your decision is still open. ' : ''}Decide by ${dateInWords(deadline)}.`,
    status: {
      text:
        reminder === 0
          ? isNew
            ? 'New group'
            : 'No owner'
          : reminder === 1
            ? 'Reminder'
            : `Reminder ${String(reminder)}`,
      tone: reminder > 0 ? 'late' : 'open',
    },
    heading: changeHeadline(facts),
    blocks: [
      ...(details.length === 0 ? [] : [{ kind: 'subtitle' as const, lines: details }]),
      ...reasonBlocks(facts),
      ...(isNew
        ? []
        : [
            {
              kind: 'paragraph' as const,
              text: 'Nobody owns the group any more who could decide who joins, and its members were asked to take over. Whoever owns it decides who joins and can change it.',
            },
          ]),
      {
        kind: 'facts',
        rows: [
          ...changeRows(facts),
          { label: 'Decide by', value: dateInWords(deadline) },
          ...(m.others.length === 0 ? [] : [{ label: 'Can decide as well', value: namesShown(m.others) }]),
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
        link: { label: 'Or open it without choosing yet', href: links.open },
      },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you may decide ${isNew ? 'which groups are created' : 'in place of missing owners'}.`,
      'The links are for you alone; to anybody else they show nothing.',
      reference(facts),
    ],
  });
}

function status(outcome: ChangeOutcome): { text: string; tone: Tone } {
  switch (outcome.kind) {
    case 'done':
      return { text: 'Done', tone: 'good' };
    case 'denied':
      return { text: 'Denied', tone: 'bad' };
    case 'expired':
      return { text: 'Expired', tone: 'late' };
    case 'withdrawn':
      return { text: 'Withdrawn', tone: 'open' };
    case 'cancelled':
      return { text: 'Cancelled', tone: 'bad' };
    case 'delayed':
      return { text: 'Delayed', tone: 'late' };
  }
}

function sentenceTo(facts: ChangeFacts, outcome: ChangeOutcome): string {
  switch (outcome.kind) {
    case 'done':
      return facts.what.kind === 'create'
        ? `The group ${nameOf(facts.groupName)} is there${approvedBy(outcome)}, with its owners, and open to join requests: its owners are asked by mail.`
        : 'The change is applied.';
    case 'denied':
      return `It was denied by ${nameOf(outcome.decidedBy)}. Nothing was created or changed.`;
    case 'expired':
      return 'It was not decided in time. Nothing was created or changed.';
    case 'withdrawn':
      return 'It was taken back. Nothing was created or changed.';
    case 'cancelled':
      return `It was cancelled. ${clip(oneLine(outcome.reason), 400)}`;
    case 'delayed':
      return 'The directory refused the change for now. The people who run Gatehouse look into it; there is nothing for you to do.';
  }
}

const approvedBy = ({ decidedBy }: { decidedBy?: string }): string =>
  decidedBy === undefined ? '' : `, approved by ${nameOf(decidedBy)}`;

/** Tells whoever asked how it ended, or that it is delayed. */
export function changeOutcomeMessage(m: {
  facts: ChangeFacts;
  outcome: ChangeOutcome;
  recipient: string;
  /** Whoever was taken out is still a member through another group: the recipient, or somebody else. */
  stillMember?: 'you' | 'they';
}): Message {
  const { facts, outcome } = m;
  const said = status(outcome);
  const sentence = sentenceTo(facts, outcome);
  const comment = outcome.kind === 'denied' || outcome.kind === 'done' ? outcome.comment : undefined;
  return lay({
    subject: `${said.text}: ${clip(wishInWords(facts), 120)}`,
    preview: sentence,
    status: said,
    heading: `Your wish to ${wishInWords(facts)}: ${said.text.toLowerCase()}`,
    blocks: [
      { kind: 'paragraph', text: sentence },
      ...stillMemberBlock(m.stillMember),
      ...quote('Their comment', comment),
      { kind: 'facts', rows: changeRows(facts) },
    ],
    footer: [`You get this mail, ${nameOf(m.recipient)}, because you asked for this.`, reference(facts)],
  });
}

function stillMemberBlock(who: 'you' | 'they' | undefined): Block[] {
  if (who === undefined) return [];
  const text = `${who === 'you' ? 'You are' : 'They are'} still a member through another group.`;
  return [{ kind: 'paragraph', text }];
}

/** Tells somebody who was asked to decide that nothing is left for them to do. `link` opens the receipt. */
export function changeClosedMessage(m: {
  facts: ChangeFacts;
  outcome: ChangeOutcome;
  recipient: string;
  link: string;
}): Message {
  const { facts, outcome } = m;
  return lay({
    subject: `Re: ${subjectOf(facts)}`,
    preview: 'Nothing left for you to do.',
    status: status(outcome),
    heading: 'Nothing left for you to do',
    blocks: [
      { kind: 'paragraph', text: sentenceTo(facts, outcome) },
      { kind: 'facts', rows: [{ label: 'Asked by', value: nameOf(facts.askedBy.name) }, ...changeRows(facts)] },
      { kind: 'buttons', buttons: [{ label: 'See what happened', href: m.link, look: 'plain' }] },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you were asked to decide on this group.`,
      'The link is for you alone; to anybody else it shows nothing.',
      reference(facts),
    ],
  });
}

/** Tells somebody of a change that concerns them: `role` says why they are told. */
export function changeToldMessage(m: {
  facts: ChangeFacts;
  recipient: string;
  role: 'owner' | 'person';
  /** They are still a member through another group. */
  stillMember?: boolean;
}): Message {
  const { facts, role } = m;
  const group = nameOf(facts.groupName);
  const isNew = facts.what.kind === 'create';
  const heading = isNew ? `You own the new group ${group}` : toldHeading(facts, role);
  const sentence = isNew
    ? `${nameOf(facts.askedBy.name)} created it and named you as an owner. You are asked by mail who may join.`
    : `${changeHeadline(facts)}. It is applied.`;
  return lay({
    subject: clip(heading, 140),
    preview: sentence,
    status: { text: isNew ? 'New group' : 'Changed', tone: 'good' },
    heading,
    blocks: [
      { kind: 'paragraph', text: sentence },
      ...stillMemberBlock(m.stillMember === true ? 'you' : undefined),
      ...reasonBlocks(facts),
      { kind: 'facts', rows: changeRows(facts) },
    ],
    footer: [
      role === 'owner'
        ? `You get this mail, ${nameOf(m.recipient)}, because you own ${group}.`
        : `You get this mail, ${nameOf(m.recipient)}, because it is about you.`,
      reference(facts),
    ],
  });
}

function toldHeading({ groupName, what, askedBy }: ChangeFacts, role: 'owner' | 'person'): string {
  const group = nameOf(groupName);
  if (role === 'owner' || what.kind === 'create') return `${nameOf(askedBy.name)} changed ${group}`;
  switch (what.kind) {
    case 'describe':
      return `${group} was changed`;
    case 'add-owner':
    case 'hand-over':
      return `You are an owner of ${group} now`;
    case 'remove-owner':
      return `You are no longer an owner of ${group}`;
    case 'add-member':
      return `You are a member of ${group} now`;
    case 'remove-member':
      return `You were removed from ${group}`;
  }
}

/** Who can decide as well, as a page says it. */
export const othersInWords = (names: readonly string[]): string =>
  names.length === 0 ? 'Nobody else' : inSeries(namesShown(names, 20));
