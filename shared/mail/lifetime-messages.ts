import { lay } from './layout';
import type { Block, Message, Row } from './layout';
import { clip, dateInWords, nameOf } from './text';

/** What mails and pages tell of a group's life. Texts are as the directory gave them. */
export interface LifeFacts {
  groupId: string;
  groupName: string;
  kind: 'security' | 'microsoft365';
}

/** What comes of a group that nobody renews. `on`: when that is. */
export interface Afterwards {
  how: 'delete' | 'keep';
  on: Date;
}

/** Why somebody is told: as an owner, as a member, or as one of those who look after groups without an owner. */
export type Told = 'owner' | 'member' | 'caretaker';

const reference = ({ groupId }: LifeFacts): string => `Group: ${groupId}`;

function because(facts: LifeFacts, recipient: string, as: Told): string[] {
  const group = nameOf(facts.groupName);
  switch (as) {
    case 'owner':
      return [`You get this mail, ${nameOf(recipient)}, because you own ${group}.`, reference(facts)];
    case 'member':
      return [`You get this mail, ${nameOf(recipient)}, because you are a member of ${group}.`, reference(facts)];
    case 'caretaker':
      return [`This mail came here because mail reaches no owner of ${group}.`, reference(facts)];
  }
}

/** What expiry means, in one or two sentences. */
export const afterwardsInWords = ({ how, on }: Afterwards): string =>
  how === 'delete'
    ? `Once it has expired it takes no new members, and on ${dateInWords(on)} it is deleted.`
    : 'Once it has expired it takes no new members until it is renewed. It is not deleted.';

const renewBlocks = (link: string, as: Told): Block[] => [
  { kind: 'buttons', buttons: [{ label: 'Renew the group', href: link, look: 'approve' }] },
  {
    kind: 'note',
    text:
      as === 'caretaker'
        ? 'An administrator of Gatehouse can renew it, after signing in; or give it an owner, who can. Opening the link changes nothing.'
        : 'Opening the link changes nothing: you will be asked to sign in and to confirm. One owner is enough.',
  },
];

const kindRow = ({ kind }: LifeFacts): Row => ({
  label: 'Kind',
  value: kind === 'security' ? 'Security group' : 'Microsoft 365 group',
});
const groupRow = ({ groupName }: LifeFacts): Row => ({ label: 'Group', value: nameOf(groupName) });

/** Warns that a group expires. `link` opens the page on which it is renewed. */
export function groupEndingMessage(m: {
  facts: LifeFacts;
  recipient: string;
  as: Exclude<Told, 'member'>;
  expires: Date;
  afterwards: Afterwards;
  link: string;
}): Message {
  const { facts, as, expires } = m;
  const group = nameOf(facts.groupName);
  const sentence = `${group} expires on ${dateInWords(expires)} unless ${as === 'owner' ? 'you, or another owner, renew it' : 'somebody renews it'}.`;
  return lay({
    subject: clip(`${group} expires on ${dateInWords(expires)}`, 140),
    preview: sentence,
    status: { text: 'Expires soon', tone: 'late' },
    heading: `Is ${group} still needed?`,
    blocks: [
      { kind: 'paragraph', text: sentence },
      { kind: 'paragraph', text: afterwardsInWords(m.afterwards) },
      { kind: 'facts', rows: [groupRow(facts), kindRow(facts), { label: 'Expires', value: dateInWords(expires) }] },
      ...renewBlocks(m.link, as),
    ],
    footer: because(facts, m.recipient, as),
  });
}

/** Tells that a group has expired. `link` is for those who may renew it. */
export function groupExpiredMessage(m: {
  facts: LifeFacts;
  recipient: string;
  as: Told;
  expired: Date;
  afterwards: Afterwards;
  link?: string;
}): Message {
  const { facts, as, afterwards } = m;
  const group = nameOf(facts.groupName);
  const sentence = `Nobody renewed ${group} in time. It takes no new members from now on; who is a member stays one.`;
  const next =
    afterwards.how === 'delete'
      ? `On ${dateInWords(afterwards.on)} it is deleted, unless an owner renews it before.`
      : 'It stays as it is until an owner renews it.';
  return lay({
    subject: clip(`${group} has expired`, 140),
    preview: sentence,
    status: { text: 'Expired', tone: 'late' },
    heading: `${group} has expired`,
    blocks: [
      { kind: 'paragraph', text: sentence },
      { kind: 'paragraph', text: as === 'member' ? `${next} If you need it, tell one of its owners.` : next },
      { kind: 'facts', rows: [groupRow(facts), { label: 'Expired', value: dateInWords(m.expired) }] },
      ...(m.link === undefined ? [] : renewBlocks(m.link, as)),
    ],
    footer: because(facts, m.recipient, as),
  });
}

function renewedInWords(group: string, by: string | undefined, expires: Date | undefined): string {
  if (by !== undefined) return `${nameOf(by)} renewed ${group}.`;
  return expires === undefined
    ? `${group} goes on, as all groups of its kind do now.`
    : `${group} is in use and goes on.`;
}

/** Tells those who were told that a group would end, or had, that it does not. `by`: who renewed it, where it was a person. */
export function groupRenewedMessage(m: {
  facts: LifeFacts;
  recipient: string;
  as: Told;
  by?: string;
  /** Absent where it lives for ever now. */
  expires?: Date;
}): Message {
  const { facts, as, by, expires } = m;
  const group = nameOf(facts.groupName);
  const until = expires === undefined ? 'It has no end any more.' : `It expires on ${dateInWords(expires)}.`;
  const sentence = renewedInWords(group, by, expires);
  return lay({
    subject: clip(`${group} goes on`, 140),
    preview: `${sentence} Nothing left for you to do.`,
    status: { text: 'Renewed', tone: 'good' },
    heading: `${group} goes on`,
    blocks: [
      { kind: 'paragraph', text: `${sentence} ${until} Nothing is left for you to do.` },
      { kind: 'facts', rows: [groupRow(facts)] },
    ],
    footer: because(facts, m.recipient, as),
  });
}

/** Tells owners that their group was deleted, and until when it can be brought back. */
export function groupDeletedMessage(m: {
  facts: LifeFacts;
  recipient: string;
  as: Exclude<Told, 'member'>;
  deleted: Date;
  restorable: Date;
}): Message {
  const { facts, as, deleted, restorable } = m;
  const group = nameOf(facts.groupName);
  const sentence = `${group} had expired, nobody renewed it, and it was deleted on ${dateInWords(deleted)}.`;
  return lay({
    subject: clip(`${group} was deleted`, 140),
    preview: sentence,
    status: { text: 'Deleted', tone: 'bad' },
    heading: `${group} was deleted`,
    blocks: [
      { kind: 'paragraph', text: sentence },
      {
        kind: 'paragraph',
        text: `Until ${dateInWords(restorable)} an administrator can restore it in Microsoft Entra ID, with its members; then renew it.`,
      },
      { kind: 'facts', rows: [groupRow(facts), kindRow(facts)] },
    ],
    footer: because(facts, m.recipient, as),
  });
}
