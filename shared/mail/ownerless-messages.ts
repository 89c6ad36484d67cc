import { lay } from './layout';
import type { Message } from './layout';
import { clip, dateInWords, nameOf } from './text';

/** Where people look after the groups that they own. */
const MY_GROUPS = 'https://myaccount.microsoft.com/groups';

/** Asks the only owner of a group, or of several, to name a second. At most 51 names. */
export function secondOwnerMessage(m: { groupNames: readonly string[]; recipient: string }): Message {
  const names = m.groupNames.map(nameOf);
  const [group = ''] = names;
  const isOne = names.length === 1;
  const heading = isOne
    ? `${group} needs a second owner`
    : `${String(names.length)} of your groups need a second owner`;
  const them = isOne ? group : 'these groups';
  return lay({
    subject: clip(heading, 140),
    preview: 'If you leave, nobody decides who joins.',
    status: { text: 'One owner', tone: 'late' },
    heading,
    blocks: [
      {
        kind: 'paragraph',
        text: `You are the only owner of ${them} who can decide: nobody else who owns ${isOne ? 'it' : 'them'} has an enabled account of the organisation with a mailbox. While you are away requests wait, and if you leave the ${isOne ? 'group is' : 'groups are'} left to nobody.`,
      },
      {
        kind: 'paragraph',
        text: `Please add a second owner${isOne ? '' : ' to each'} whom you trust to decide who joins. They need an account of the organisation and a mailbox; guests don’t count.`,
      },
      { kind: 'facts', rows: names.map((name) => ({ label: 'Group', value: name })) },
      { kind: 'buttons', buttons: [{ label: 'Add an owner in My Groups', href: MY_GROUPS, look: 'plain' }] },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you own ${them}. It comes at most once in 30 days for a group, until there is a second owner.`,
    ],
  });
}

/** Asks a member to take over a group that nobody owns. `link` is for the recipient alone. */
export function takeOverMessage(m: {
  groupName: string;
  recipient: string;
  /** How many members are asked at the same time. */
  asked: number;
  link: string;
}): Message {
  const group = nameOf(m.groupName);
  return lay({
    subject: clip(`Would you take over ${group}?`, 140),
    preview: 'Nobody owns the group any more.',
    status: { text: 'No owner', tone: 'late' },
    heading: `Would you take over ${group}?`,
    blocks: [
      {
        kind: 'paragraph',
        text: `Nobody owns ${group} any more who could decide who joins. You have been a member for long, so you are asked ${m.asked > 1 ? `with ${m.asked === 2 ? 'one other member' : `${String(m.asked - 1)} other members`} ` : ''}whether you would own it.`,
      },
      {
        kind: 'paragraph',
        text: 'An owner is asked by mail who may join, and can change the group. Whether you become one is approved by those who stand in for missing owners.',
      },
      { kind: 'buttons', buttons: [{ label: 'See what it means', href: m.link, look: 'plain' }] },
      {
        kind: 'note',
        text: 'Opening the link does nothing: you will be asked to sign in and to confirm. If you don’t want to, there is nothing to do.',
      },
    ],
    footer: [
      `You get this mail, ${nameOf(m.recipient)}, because you are a member of ${group}. You are asked once.`,
      'The link is for you alone; to anybody else it shows nothing.',
    ],
  });
}

/** Tells a member who was asked that another one offered to take over. */
export function takenMessage(m: { groupName: string; recipient: string; by: string; at: Date }): Message {
  const group = nameOf(m.groupName);
  const by = nameOf(m.by);
  return lay({
    subject: clip(`Re: Would you take over ${group}?`, 140),
    preview: 'Nothing left for you to do.',
    status: { text: 'Offered', tone: 'good' },
    heading: 'Nothing left for you to do',
    blocks: [
      {
        kind: 'paragraph',
        text: 'Another member offered to take the group over. Those who stand in for missing owners decide about it. Should they deny it, your link still works.',
      },
      {
        kind: 'facts',
        rows: [
          { label: 'Group', value: group },
          { label: 'Offered by', value: by },
          { label: 'Offered on', value: dateInWords(m.at) },
        ],
      },
    ],
    footer: [`You get this mail, ${nameOf(m.recipient)}, because you were asked whether you would own ${group}.`],
  });
}
