import { groups, people } from '../../local/demo-tenant';
import { sentenceOf } from '../../shared/join-requests/timeline';
import {
  changeApprovalMessage,
  changeClosedMessage,
  changeOutcomeMessage,
  changeToldMessage,
} from '../../shared/mail/change-messages';
import type { ChangeFacts } from '../../shared/mail/change-messages';
import {
  approvalMessage,
  closedMessage,
  delayedMessage,
  digestMessage,
  endingMessage,
  filedMessage,
  outcomeMessage,
} from '../../shared/mail/messages';
import {
  groupDeletedMessage,
  groupEndingMessage,
  groupExpiredMessage,
  groupRenewedMessage,
} from '../../shared/mail/lifetime-messages';
import type { LifeFacts } from '../../shared/mail/lifetime-messages';
import type { Message, Outcome, RequestFacts } from '../../shared/mail/messages';
import { secondOwnerMessage, takenMessage, takeOverMessage } from '../../shared/mail/ownerless-messages';
import type { Html } from '../../shared/web/html';
import { decisionPage, receiptPage } from '../../shared/web/pages/decision';
import { groupDecisionPage, groupReceiptPage } from '../../shared/web/pages/group-decision';
import { groupRenewalPage } from '../../shared/web/pages/group-renewal';
import { membershipPage } from '../../shared/web/pages/membership';
import { actionPage, foundPage, operatedPage, overviewPage } from '../../shared/web/pages/operations';
import type { ListedRequest } from '../../shared/web/pages/operations';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../../shared/web/pages/message';
import { takeOverPage, takeOverReceiptPage } from '../../shared/web/pages/take-over';

const host = 'https://gatehouse.contoso.example';
const link = `${host}/api/decisions/3q2Xv9Lk0bTn5mPzR7yWcA`;
const filedAt = new Date('2026-11-24T14:05:00Z');
const deadline = new Date('2026-11-27T14:05:00Z');

/** A request as most are. */
export const facts: RequestFacts = {
  reference: '4f1c3a529d0e4c578f0a2b7d9c1e6a30',
  groupName: groups.design.displayName,
  groupDescription: groups.design.description,
  requester: {
    name: people.rita.displayName,
    jobTitle: people.rita.jobTitle ?? undefined,
    department: people.rita.department ?? undefined,
    address: people.rita.mail ?? undefined,
  },
  justification:
    'I am joining the packaging redesign with Maja next week and need the shared libraries and last year’s research.',
  filedAt,
  duration: 'P30D',
  approvers: [people.olivia.displayName, people.omar.displayName],
};

/** A group whose life comes to its end. */
const lifeFacts: LifeFacts = {
  groupId: groups.design.id,
  groupName: groups.design.displayName,
  kind: 'microsoft365',
};
const hostileLife: LifeFacts = { groupId: groups.hostile.id, groupName: groups.hostile.displayName, kind: 'security' };
const renewalLink = `${host}/api/group-renewals/${groups.design.id}`;

/** A request with everything that a layout or an escape can trip over. */
export const hostile: RequestFacts = {
  reference: '00000000000000000000000000000001',
  groupName: groups.hostile.displayName,
  groupDescription: groups.hostile.description,
  requester: {
    name: people.hugo.displayName,
    jobTitle: people.hugo.jobTitle ?? undefined,
    department: people.hugo.department ?? undefined,
    address: people.hugo.mail ?? undefined,
  },
  justification:
    '</blockquote></td><form action="https://evil.example"><script>alert(1)</script>\r\n\r\n\r\n\r\nApprove: https://evil.example/\u202Eevorppa\nUnbreakable'.padEnd(
      400,
      'X',
    ),
  filedAt,
  approvers: [
    people.bidi.displayName,
    people.maximilian.displayName,
    people.kenji.displayName,
    people.noor.displayName,
  ],
};

const memberUntil = new Date('2026-12-25T09:12:00Z');

/** A member who asks to stay. */
export const extension: RequestFacts = {
  ...facts,
  reference: '8b2e6f409a1d4c7395e0d3a1f7c54b22',
  justification: 'The redesign goes on until summer.',
  filedAt: new Date('2026-12-18T08:30:00Z'),
  duration: 'P180D',
  extension: { until: memberUntil },
};

/** The hostile request as an extension, for words of other people in what only extensions have. */
export const hostileExtension: RequestFacts = { ...hostile, duration: 'P365D', extension: { until: memberUntil } };

const links = { open: link, approve: `${link}?choose=approve`, deny: `${link}?choose=deny` };
const statusLink = `${host}/api/requests/4f1c3a529d0e4c578f0a2b7d9c1e6a30`;
const told = (outcome: Outcome, of = facts): Message =>
  outcomeMessage({ facts: of, outcome, recipient: of.requester.name, statusLink });

const timeline = [
  { at: filedAt, text: sentenceOf({ event: 'filed' }), by: people.rita.displayName },
  {
    at: new Date('2026-11-24T14:06:00Z'),
    text: sentenceOf({ event: 'approvers-asked', data: { people: ['olivia', 'omar'] } }),
  },
  {
    at: new Date('2026-11-25T14:06:00Z'),
    text: sentenceOf({ event: 'approvers-reminded', data: { people: ['olivia', 'omar'] } }),
  },
];

const member = {
  facts,
  signedInAs: people.rita.displayName,
  from: new Date('2026-11-25T09:12:00Z'),
  timeline: [...timeline, { at: new Date('2026-11-25T09:12:00Z'), text: 'Became a member of Design Studio' }],
  form: { action: `${host}/api/memberships/4f1c3a529d0e4c578f0a2b7d9c1e6a30`, token: 'b5a1e0' },
  lapsing: false,
  justificationRequired: true,
};

const listedRequest: ListedRequest = {
  href: `${host}/api/ops/requests/4f1c3a529d0e4c578f0a2b7d9c1e6a30`,
  group: groups.design.displayName,
  requester: people.rita.displayName,
  standing: 'pending, stage 1 of 2: waits for a decision',
  filedAt,
  age: '3 days',
};
const hostileRequest: ListedRequest = {
  ...listedRequest,
  group: groups.hostile.displayName,
  requester: people.bidi.displayName,
  trouble: hostile.justification,
};
const search = { action: '/api/ops', token: 'b5a1e0' };
const operated = {
  signedInAs: people.otto.displayName,
  back: '/api/ops',
  heading: `${people.rita.displayName} for ${groups.design.displayName}`,
  facts: [
    ['State', 'pending: waits for a decision'],
    ['Group', `${groups.design.displayName} (${groups.design.id})`],
    ['Reference', facts.reference],
  ] as [string, string][],
  justification: facts.justification,
  workflow: [
    ['Engine', 'Running'],
    ['It waits until', 'Fri 27 November 2026, 14:05 UTC'],
  ] as [string, string][],
  offers: [
    { href: '?action=reroute', text: 'Give the decision to other people' },
    { href: '?action=cancel', text: 'Cancel it' },
  ],
  mails: [
    { what: 'Asks to decide', to: people.olivia.displayName, standing: 'Accepted by the mail service', again: '?a=1' },
    { what: 'Asks to decide', to: people.omar.displayName, standing: 'Not delivered: Bounced', again: '?a=2' },
    { what: 'Says that it was filed', to: people.rita.displayName, standing: 'Waits to be sent' },
  ],
  timeline,
};
const action = {
  signedInAs: people.otto.displayName,
  back: listedRequest.href,
  heading: 'Give the decision to other people',
  about: `${people.rita.displayName} for ${groups.design.displayName}: pending: waits for a decision`,
  consequences: ['The people you name are asked by mail.', 'The links of those asked before show how it stands.'],
  fields: [
    { kind: 'text' as const, name: 'people', label: 'Who shall decide', hint: 'One a line.', rows: 3 },
    {
      kind: 'number' as const,
      name: 'required',
      label: 'How many must approve',
      hint: 'One to all.',
      value: 1,
      most: 20,
    },
  ],
  reason: { hint: 'It stands in the request’s trail under your name.' },
  form: { action: listedRequest.href, token: 'b5a1e0', name: 'reroute' },
  button: 'Give it to them',
};
/** A group that is to be created. */
export const changeFacts: ChangeFacts = {
  reference: facts.reference,
  groupName: 'Sketch Club',
  askedBy: facts.requester,
  askedAt: filedAt,
  what: {
    kind: 'create',
    groupKind: 'microsoft365',
    description: 'Drawing at noon.',
    purpose: facts.justification,
    owners: [people.rita.displayName, people.mona.displayName],
    visibility: 'Private',
  },
};
export const hostileChange: ChangeFacts = {
  reference: hostile.reference,
  groupName: hostile.groupName,
  askedBy: hostile.requester,
  askedAt: filedAt,
  reason: hostile.justification,
  what: {
    kind: 'create',
    groupKind: 'security',
    description: hostile.justification,
    purpose: hostile.justification,
    owners: hostile.approvers,
  },
};
const changeLinks = { open: link, approve: `${link}?choice=approve`, deny: `${link}?choice=deny` };

/** Every mail, by name. */
export const mails: Record<string, Message> = {
  'creation-approval': changeApprovalMessage({
    facts: changeFacts,
    recipient: people.olivia.displayName,
    deadline,
    links: changeLinks,
    others: [people.omar.displayName],
  }),
  'creation-approval-hostile': changeApprovalMessage({
    facts: hostileChange,
    recipient: people.bidi.displayName,
    deadline,
    links: changeLinks,
    others: hostile.approvers,
    reminder: 2,
  }),
  'take-over-approval': changeApprovalMessage({
    facts: { ...changeFacts, what: { kind: 'add-owner', person: people.rita.displayName, isOwn: true } },
    recipient: people.frank.displayName,
    deadline,
    links: changeLinks,
    others: [],
  }),
  'second-owner': secondOwnerMessage({ groupNames: [facts.groupName], recipient: people.olivia.displayName }),
  'second-owner-hostile': secondOwnerMessage({
    groupNames: Array.from({ length: 51 }, () => hostile.groupName),
    recipient: people.bidi.displayName,
  }),
  'take-over': takeOverMessage({ groupName: facts.groupName, recipient: people.rita.displayName, asked: 3, link }),
  'take-over-hostile': takeOverMessage({
    groupName: hostile.groupName,
    recipient: people.bidi.displayName,
    asked: 1,
    link,
  }),
  taken: takenMessage({
    groupName: facts.groupName,
    recipient: people.mona.displayName,
    by: people.rita.displayName,
    at: filedAt,
  }),
  'taken-hostile': takenMessage({
    groupName: hostile.groupName,
    recipient: people.bidi.displayName,
    by: hostile.requester.name,
    at: filedAt,
  }),
  'change-outcome': changeOutcomeMessage({
    facts: changeFacts,
    outcome: { kind: 'done', decidedBy: people.olivia.displayName, comment: 'Have fun.' },
    recipient: people.rita.displayName,
  }),
  'change-outcome-hostile': changeOutcomeMessage({
    facts: hostileChange,
    outcome: { kind: 'cancelled', reason: hostile.justification },
    recipient: people.bidi.displayName,
  }),
  'change-closed': changeClosedMessage({
    facts: changeFacts,
    outcome: { kind: 'denied', decidedBy: people.omar.displayName },
    recipient: people.olivia.displayName,
    link,
  }),
  'change-told': changeToldMessage({ facts: changeFacts, recipient: people.mona.displayName, role: 'owner' }),
  'change-told-hostile': changeToldMessage({
    facts: { ...hostileChange, what: { kind: 'remove-member', person: hostile.requester.name, isOwn: false } },
    recipient: people.bidi.displayName,
    role: 'person',
    stillMember: true,
  }),
  approval: approvalMessage({
    facts,
    recipient: people.olivia.displayName,
    deadline,
    links: { open: link, approve: `${link}?choose=approve`, deny: `${link}?choose=deny` },
  }),
  reminder: approvalMessage({
    facts,
    recipient: people.omar.displayName,
    deadline,
    links: { open: link, approve: `${link}?choose=approve`, deny: `${link}?choose=deny` },
    reminder: 'due',
    stage: { index: 1, of: 2 },
  }),
  'approval-hostile': approvalMessage({
    facts: hostile,
    recipient: people.bidi.displayName,
    links: { open: link, approve: `${link}?choose=approve`, deny: `${link}?choose=deny` },
  }),
  outcome: outcomeMessage({
    facts,
    outcome: {
      kind: 'granted',
      until: new Date('2026-12-25T09:12:00Z'),
      decidedBy: [people.olivia.displayName],
    },
    recipient: people.rita.displayName,
    statusLink: `${host}/api/requests/4f1c3a529d0e4c578f0a2b7d9c1e6a30`,
  }),
  denied: outcomeMessage({
    facts,
    outcome: {
      kind: 'denied',
      decidedBy: [people.omar.displayName],
      comments: [
        { by: people.omar.displayName, text: 'The redesign has its own group, Packaging Studio. Please ask there.' },
      ],
    },
    recipient: people.rita.displayName,
    statusLink: `${host}/api/requests/4f1c3a529d0e4c578f0a2b7d9c1e6a30`,
  }),
  expired: outcomeMessage({ facts, outcome: { kind: 'expired' }, recipient: people.rita.displayName }),
  cancelled: outcomeMessage({
    facts,
    outcome: { kind: 'cancelled', reason: 'The group is no longer open to requests' },
    recipient: people.rita.displayName,
  }),
  closed: closedMessage({
    facts,
    outcome: { kind: 'granted', until: memberUntil, decidedBy: [people.olivia.displayName] },
    recipient: people.omar.displayName,
    link,
  }),
  'approval-extension': approvalMessage({
    facts: extension,
    recipient: people.olivia.displayName,
    deadline: new Date('2026-12-21T08:30:00Z'),
    links,
    required: { count: 2, approvals: 1 },
  }),
  nudged: approvalMessage({
    facts,
    recipient: people.olivia.displayName,
    deadline,
    links,
    reminder: 'nudged',
    required: { count: 2, approvals: 0 },
  }),
  'nudged-hostile': approvalMessage({
    facts: hostileExtension,
    recipient: people.bidi.displayName,
    links,
    reminder: 'nudged',
    required: { count: 10, approvals: 3 },
  }),
  filed: filedMessage({
    facts,
    recipient: people.rita.displayName,
    statusLink,
    deadline,
    nudge: 'Where it takes long, you can remind them once a day from that page.',
  }),
  'filed-hostile': filedMessage({
    facts: hostileExtension,
    recipient: hostile.requester.name,
    statusLink,
    nudge: hostile.justification,
  }),
  delayed: delayedMessage({
    facts,
    recipient: people.rita.displayName,
    decidedBy: [people.olivia.displayName],
    statusLink,
  }),
  shortened: told({
    kind: 'granted',
    until: memberUntil,
    decidedBy: [people.olivia.displayName, people.omar.displayName],
    comments: [
      { by: people.olivia.displayName, text: 'Welcome. Maja shows you around.' },
      { by: people.omar.displayName, text: 'A month will do for now.\nAsk again if it does not.' },
    ],
    shortenedFrom: 'P90D',
  }),
  continues: told(
    {
      kind: 'granted',
      until: new Date('2027-06-23T09:12:00Z'),
      decidedBy: [people.olivia.displayName],
      continues: true,
    },
    extension,
  ),
  'granted-hostile': told(
    {
      kind: 'granted',
      decidedBy: hostile.approvers,
      comments: [{ by: people.bidi.displayName, text: hostile.justification }],
      shortenedFrom: 'no end',
    },
    hostile,
  ),
  'denied-extension': told(
    {
      kind: 'denied',
      decidedBy: [people.omar.displayName],
      comments: [{ by: people.omar.displayName, text: 'Your part is done.' }],
      mayAskAgainOn: new Date('2027-01-01T09:00:00Z'),
    },
    extension,
  ),
  ending: endingMessage({
    facts,
    recipient: people.rita.displayName,
    until: memberUntil,
    link: `${host}/api/memberships/4f1c3a529d0e4c578f0a2b7d9c1e6a30`,
  }),
  'ending-hostile': endingMessage({ facts: hostile, recipient: hostile.requester.name, until: memberUntil, link }),
  revoked: told({
    kind: 'ended',
    removed: true,
    how: 'revoked',
    by: people.omar.displayName,
    reason: 'The packaging project was handed over to the agency.',
  }),
  'revoked-hostile': told(
    { kind: 'ended', removed: false, how: 'revoked', by: people.bidi.displayName, reason: hostile.justification },
    hostile,
  ),
  digest: digestMessage({
    recipient: people.olivia.displayName,
    items: [
      { facts: { ...facts, justification: '' }, link: `${host}/api/decisions/aB3xQ` },
      { facts: extension, deadline: new Date('2026-12-21T08:30:00Z'), link: `${host}/api/decisions/cD7yW` },
      {
        facts: { ...facts, requester: { name: people.ravi.displayName }, duration: undefined },
        deadline,
        link: `${host}/api/decisions/eF1zV`,
      },
    ],
  }),
  'group-ending': groupEndingMessage({
    facts: lifeFacts,
    recipient: people.olivia.displayName,
    as: 'owner',
    expires: deadline,
    afterwards: { how: 'delete', on: memberUntil },
    link: renewalLink,
  }),
  'group-ending-hostile': groupEndingMessage({
    facts: hostileLife,
    recipient: hostile.requester.name,
    as: 'caretaker',
    expires: deadline,
    afterwards: { how: 'keep', on: memberUntil },
    link: renewalLink,
  }),
  'group-expired': groupExpiredMessage({
    facts: lifeFacts,
    recipient: people.olivia.displayName,
    as: 'owner',
    expired: deadline,
    afterwards: { how: 'delete', on: memberUntil },
    link: renewalLink,
  }),
  'group-expired-hostile': groupExpiredMessage({
    facts: hostileLife,
    recipient: hostile.requester.name,
    as: 'member',
    expired: deadline,
    afterwards: { how: 'keep', on: memberUntil },
  }),
  'group-renewed': groupRenewedMessage({
    facts: lifeFacts,
    recipient: people.omar.displayName,
    as: 'owner',
    by: people.olivia.displayName,
    expires: memberUntil,
  }),
  'group-renewed-hostile': groupRenewedMessage({
    facts: hostileLife,
    recipient: people.omar.displayName,
    as: 'member',
    by: hostile.requester.name,
  }),
  'group-deleted': groupDeletedMessage({
    facts: lifeFacts,
    recipient: people.olivia.displayName,
    as: 'owner',
    deleted: deadline,
    restorable: memberUntil,
  }),
  'group-deleted-hostile': groupDeletedMessage({
    facts: hostileLife,
    recipient: hostile.requester.name,
    as: 'caretaker',
    deleted: deadline,
    restorable: memberUntil,
  }),
  'digest-hostile': digestMessage({
    recipient: people.bidi.displayName,
    items: Array.from({ length: 30 }, (_, index) => ({ facts: hostileExtension, link: `${link}${index}` })),
  }),
};

/** Every page, by name. */
export const pages: Record<string, Html> = {
  'take-over': takeOverPage({
    groupName: facts.groupName,
    signedInAs: people.rita.displayName,
    form: { action: '/api/take-over/x', token: 'x' },
  }),
  'take-over-problem': takeOverPage({
    groupName: hostile.groupName,
    signedInAs: hostile.requester.name,
    form: { action: '/api/take-over/x', token: 'x' },
    problem: 'Nobody can approve it.',
  }),
  'take-over-receipt': takeOverReceiptPage({
    groupName: hostile.groupName,
    signedInAs: people.rita.displayName,
    heading: 'You offered to take it over',
    sentence: `It waits for the approval of ${hostile.requester.name}.`,
  }),
  'group-renewal': groupRenewalPage({
    facts: lifeFacts,
    signedInAs: people.olivia.displayName,
    heading: 'Renew it if it is still needed.',
    sentence: 'It expires soon.',
    expires: deadline,
    afterwards: { how: 'delete', on: memberUntil },
    form: { action: renewalLink, token: 'b5a1e0' },
  }),
  'group-renewal-problem': groupRenewalPage({
    facts: hostileLife,
    signedInAs: hostile.requester.name,
    heading: 'It has expired.',
    sentence: hostile.justification,
    expired: deadline,
    afterwards: { how: 'keep', on: memberUntil },
    form: { action: renewalLink, token: 'b5a1e0' },
    problem: 'Nobody renewed it.',
  }),
  'group-renewal-receipt': groupRenewalPage({
    facts: lifeFacts,
    signedInAs: people.olivia.displayName,
    heading: 'It goes on.',
    sentence: 'You renewed it.',
    expires: memberUntil,
  }),
  'group-decision': groupDecisionPage({
    facts: changeFacts,
    signedInAs: people.olivia.displayName,
    others: [people.omar.displayName],
    timeline,
    deadline,
    preselected: 'approve',
    form: { action: link, token: 'b5a1e0' },
  }),
  'group-decision-problem': groupDecisionPage({
    facts: hostileChange,
    signedInAs: people.maximilian.displayName,
    others: hostile.approvers,
    timeline: [{ at: filedAt, text: hostile.justification, by: hostile.requester.name }],
    deadline,
    comment: '</textarea><script>alert(1)</script>',
    form: { action: link, token: '"><script>alert(1)</script>' },
    problem: 'Choose Approve or Deny, then confirm.',
  }),
  'group-receipt': groupReceiptPage({
    facts: changeFacts,
    signedInAs: people.omar.displayName,
    heading: 'Approved',
    sentence: 'Approved by Olivia Okafor. The group is there.',
    timeline,
  }),
  decision: decisionPage({
    facts,
    signedInAs: people.olivia.displayName,
    otherApprovers: [people.omar.displayName],
    timeline,
    deadline,
    preselected: 'approve',
    shorten: {},
    form: { action: `${link}`, token: 'b5a1e0' },
  }),
  'decision-problem': decisionPage({
    facts: hostile,
    signedInAs: people.maximilian.displayName,
    otherApprovers: hostile.approvers,
    timeline: [{ at: filedAt, text: hostile.justification, by: hostile.requester.name }],
    form: { action: link, token: '"><script>alert(1)</script>' },
    problem: 'Choose Approve or Deny, then confirm.',
  }),
  'decision-again': decisionPage({
    facts,
    signedInAs: people.olivia.displayName,
    otherApprovers: [people.omar.displayName],
    timeline: [
      ...timeline,
      { at: new Date('2026-11-25T16:40:00Z'), text: 'Voted to approve', by: people.olivia.displayName },
    ],
    deadline,
    mine: { choice: 'approve', changesLeft: 2 },
    progress: { required: 2, approvals: 1 },
    shorten: {},
    form: { action: link, token: 'b5a1e0' },
  }),
  'decision-fixed': decisionPage({
    facts,
    signedInAs: people.olivia.displayName,
    otherApprovers: [people.omar.displayName],
    timeline,
    deadline,
    mine: { choice: 'deny', changesLeft: 0 },
    progress: { required: 2, approvals: 0 },
    shorten: {},
    form: { action: link, token: 'b5a1e0' },
  }),
  'decision-extension': decisionPage({
    facts: extension,
    signedInAs: people.olivia.displayName,
    otherApprovers: [people.omar.displayName],
    timeline,
    shorten: { maximum: 'P90D' },
    form: { action: link, token: 'b5a1e0' },
  }),
  membership: membershipPage({
    ...member,
    until: memberUntil,
    prompt: 'Name the project and who leads it.',
    durations: ['P30D', 'P90D', 'P180D'],
  }),
  'membership-endless': membershipPage(member),
  'membership-lapsing': membershipPage({
    ...member,
    until: memberUntil,
    lapsing: true,
    done: 'You let your membership lapse.',
  }),
  'membership-extending': membershipPage({
    ...member,
    until: memberUntil,
    extensionLink: `${host}/api/requests/8b2e6f409a1d4c7395e0d3a1f7c54b22`,
    done: 'You have asked to stay.',
  }),
  'membership-extended': membershipPage({
    ...member,
    until: memberUntil,
    goesOn: {
      until: new Date('2027-06-02T15:00:00Z'),
      href: `${host}/api/memberships/8b2e6f409a1d4c7395e0d3a1f7c54b22`,
    },
  }),
  'membership-over': membershipPage({
    ...member,
    form: undefined,
    until: new Date('2026-12-02T15:00:00Z'),
    done: 'You have left Design Studio.',
  }),
  'membership-problem': membershipPage({
    facts: hostile,
    signedInAs: people.maximilian.displayName,
    from: filedAt,
    until: memberUntil,
    timeline: [{ at: filedAt, text: hostile.justification, by: hostile.requester.name }],
    form: { action: link, token: '"><script>alert(1)</script>' },
    lapsing: false,
    prompt: hostile.justification,
    justificationRequired: false,
    durations: ['P30D', '"><script>alert(1)</script>'],
    problem: `Give a reason. ${hostile.justification}`,
    done: hostile.justification,
  }),
  receipt: receiptPage({
    facts,
    signedInAs: people.omar.displayName,
    heading: 'Already decided',
    sentence: 'Olivia Okafor approved this request. There is nothing left for you to do.',
    timeline: [
      ...timeline,
      {
        at: new Date('2026-11-25T16:40:00Z'),
        text: sentenceOf({ event: 'vote-recorded', data: { choice: 'approve' } }),
        by: people.olivia.displayName,
      },
      { at: new Date('2026-11-25T16:40:00Z'), text: sentenceOf({ event: 'granted' }) },
    ],
  }),
  operations: overviewPage({
    signedInAs: people.otto.displayName,
    search,
    failed: { rows: [hostileRequest], more: '/api/ops?only=failed' },
    stuck: { rows: [{ ...listedRequest, trouble: 'Its next step is late.' }], more: '/api/ops' },
    readings: [
      { label: 'Open', text: '100,000 (2 approved and being applied, 1 failed, 0 late), counted 3 minutes ago' },
      { label: 'Permissions', text: 'Missing: GroupMember.ReadWrite.All', bad: true },
    ],
    open: {
      rows: [listedRequest, { ...listedRequest, requester: hostileRequest.requester, group: hostileRequest.group }],
      more: '/api/ops?after=x',
    },
  }),
  'operations-calm': overviewPage({
    signedInAs: people.otto.displayName,
    search,
    failed: { rows: [] },
    stuck: { rows: [] },
    readings: [{ label: 'Sweeper', text: 'Ran 1 minute ago, in 12 ms; 0 repairs in the last day' }],
    open: { rows: [] },
  }),
  'operations-search': foundPage({
    signedInAs: people.otto.displayName,
    search: { ...search, typed: '"><script>alert(1)</script>' },
    problem: 'There is nobody of this name.',
    lists: [
      { heading: 'Asked for by or for this person', listed: { rows: [listedRequest], more: '/api/ops?of=x' } },
      { heading: 'For this group', listed: { rows: [] } },
    ],
    back: '/api/ops',
  }),
  'operations-request': operatedPage(operated),
  'operations-request-hostile': operatedPage({
    ...operated,
    signedInAs: people.maximilian.displayName,
    heading: `${people.bidi.displayName} for ${groups.hostile.displayName}`,
    facts: [['Why', hostile.justification]],
    justification: hostile.justification,
    offers: [],
    mails: [{ what: 'The outcome', to: people.hugo.displayName, standing: hostile.justification }],
    timeline: [{ at: filedAt, text: hostile.justification, by: people.noor.displayName }],
    done: hostile.justification,
  }),
  'operations-action': actionPage(action),
  'operations-action-problem': actionPage({
    ...action,
    consequences: [hostile.justification],
    fields: [
      {
        kind: 'text',
        name: 'people',
        label: 'Who shall decide',
        hint: 'One a line.',
        rows: 3,
        value: '</textarea><script>alert(1)</script>',
      },
      {
        kind: 'choice',
        name: 'days',
        label: 'How much longer',
        hint: 'From the present deadline.',
        value: '7',
        options: [
          { value: '1', text: '1 day' },
          { value: '7', text: '7 days' },
        ],
      },
    ],
    reason: { hint: 'Everyone is told.', value: '</textarea><script>alert(1)</script>' },
    form: { ...action.form, hidden: { mail: '"><script>alert(1)</script>' } },
    problem: hostile.justification,
  }),
  'sign-in': signInPage({
    signInUrl: '/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Fdecisions%2F3q2Xv9Lk0bTn5mPzR7yWcA',
  }),
  'other-account': otherAccountPage({ signOutUrl: '/.auth/logout' }),
  'sign-in-unavailable': signInUnavailablePage(),
  message: messagePage({ heading: 'Something went wrong', sentence: 'Please try again in a minute.' }),
};
