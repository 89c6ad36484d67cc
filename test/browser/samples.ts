import { groups, people } from '../../local/demo-tenant';
import { approvalMessage, closedMessage, outcomeMessage } from '../../shared/mail/messages';
import type { Message, RequestFacts } from '../../shared/mail/messages';
import type { Html } from '../../shared/web/html';
import { decisionPage, receiptPage } from '../../shared/web/pages/decision';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../../shared/web/pages/message';

const host = 'https://gatehouse.contoso.example';
const link = `${host}/decide/3q2Xv9Lk0bTn5mPzR7yWcA`;
const filedAt = new Date('2026-11-24T14:05:00Z');
const deadline = new Date('2026-11-27T14:05:00Z');

/** A request as most are. */
export const facts: RequestFacts = {
  reference: 'JR-7F3K-92QD',
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

/** A request with everything that a layout or an escape can trip over. */
export const hostile: RequestFacts = {
  reference: 'JR-0000-0001',
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

const timeline = [
  { at: filedAt, text: 'Asked', by: people.rita.displayName },
  { at: new Date('2026-11-24T14:06:00Z'), text: 'Mail sent to Olivia Okafor and Omar Haddad' },
  { at: new Date('2026-11-25T14:06:00Z'), text: 'Reminder sent to Olivia Okafor and Omar Haddad' },
];

/** Every mail, by name. */
export const mails: Record<string, Message> = {
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
    reminder: 1,
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
    statusLink: `${host}/requests/JR-7F3K-92QD`,
  }),
  denied: outcomeMessage({
    facts,
    outcome: {
      kind: 'denied',
      decidedBy: [people.omar.displayName],
      comment: 'The redesign has its own group, Packaging Studio. Please ask there.',
    },
    recipient: people.rita.displayName,
    statusLink: `${host}/requests/JR-7F3K-92QD`,
  }),
  expired: outcomeMessage({ facts, outcome: { kind: 'expired' }, recipient: people.rita.displayName }),
  cancelled: outcomeMessage({
    facts,
    outcome: { kind: 'cancelled', reason: 'The group is no longer open to requests' },
    recipient: people.rita.displayName,
  }),
  closed: closedMessage({
    facts,
    outcome: { kind: 'granted', until: new Date('2026-12-25T09:12:00Z'), decidedBy: [people.olivia.displayName] },
    recipient: people.omar.displayName,
    link,
  }),
};

/** Every page, by name. */
export const pages: Record<string, Html> = {
  decision: decisionPage({
    facts,
    signedInAs: people.olivia.displayName,
    otherApprovers: [people.omar.displayName],
    timeline,
    deadline,
    preselected: 'approve',
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
  receipt: receiptPage({
    facts,
    signedInAs: people.omar.displayName,
    heading: 'Already decided',
    sentence: 'Olivia Okafor approved this request. There is nothing left for you to do.',
    timeline: [
      ...timeline,
      { at: new Date('2026-11-25T16:40:00Z'), text: 'Approved', by: people.olivia.displayName },
      { at: new Date('2026-11-25T16:40:00Z'), text: 'Rita Lindqvist is a member of Design Studio' },
    ],
  }),
  'sign-in': signInPage({ signInUrl: '/.auth/login/aad?post_login_redirect_uri=%2Fdecide%2F3q2Xv9Lk0bTn5mPzR7yWcA' }),
  'other-account': otherAccountPage({ signOutUrl: '/.auth/logout' }),
  'sign-in-unavailable': signInUnavailablePage(),
  message: messagePage({ heading: 'Something went wrong', sentence: 'Please try again in a minute.' }),
};
