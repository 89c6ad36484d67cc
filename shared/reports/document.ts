import { z } from 'zod';

import { csvLine } from '../audit/csv';
import type { GroupSituation } from '../domain/self-service-report';

/** Where owners see the groups that they own (https://support.microsoft.com/account-billing, “My Groups”). */
export const OWNERS_GROUPS = 'https://myaccount.microsoft.com/groups';

const kinds = ['security', 'microsoft365', 'mail-enabled-security', 'distribution-list', 'other'] as const;
const standings = ['self-service', 'no-owner', 'possible', 'impossible'] as const;

/** A line of the report as it goes over the wire. */
export const lineSchema = z.object({
  id: z.string(),
  displayName: z.string(),
  kind: z.enum(kinds),
  source: z.enum(['cloud', 'on-premises']).describe('Where the group is mastered.'),
  owners: z.int().describe('Owners that are people.'),
  usableOwners: z.int().describe('Those of them who can decide: enabled, with a mailbox, no guests.'),
  members: z.int().nullable().describe('Direct members; null where they were not counted.'),
  selfService: z.enum(['opted-in', 'opted-out', 'undecided']),
  policy: z.string().describe('Version of the policy in force: `group@3`, `default@1` or `setting`.'),
  ownersTold: z.boolean().describe('Somebody wrote down that the owners were sent the announcement.'),
  standing: z.enum(standings),
  ownersManage: z.boolean().describe('Whether the owners can manage the membership, as it stands.'),
  rule: z
    .custom<GroupSituation['rule']>((value) => value === null || typeof value === 'string')
    .describe('Which rule says no; null where none does.'),
  reason: z.string().nullable().describe('What the rule says.'),
  change: z.string().nullable().describe('What would change it.'),
  after: z.string().optional().describe('On some lines: a report that breaks off behind it goes on with `?after=`.'),
});
export type ReportLine = GroupSituation & { after?: string | undefined };

/** What stands before the lines. */
export const headSchema = z.object({
  at: z.iso.datetime(),
  groups: z.int().describe('Groups in the tenant when the report began.'),
  defaultPolicy: z.string().describe('Version of the policy of groups that have none of their own.'),
  off: z.array(z.string()).describe('What could not be read, and the permission that it takes.'),
});
export type ReportHead = z.output<typeof headSchema>;

const counts = z.record(z.string(), z.int());
const announcementSchema = z.object({ subject: z.string(), text: z.string() });

/** What stands behind them. */
export const endSchema = z.object({
  complete: z.boolean().describe('These are all groups: the report began at the first one.'),
  totals: z.object({ groups: z.int(), byKind: counts, byStanding: counts, byRule: counts }).loose(),
  checklist: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      met: z.boolean(),
      evidence: z.string().describe('The figures that it is judged by.'),
      next: z.string().nullable().describe('What to do; null where it is met.'),
    }),
  ),
  announcement: announcementSchema.describe('For the owners; for IT to send.'),
  policy: z
    .object({ deadline: z.string(), maximumDuration: z.string().optional() })
    .describe('What the announcement says of the default policy.'),
  spent: z.object({
    graphCalls: z.int().describe('Calls to Microsoft Graph; a batch of 20 is one.'),
    throttled: z.int().describe('Calls that it put off.'),
  }),
});
export type ReportEnd = z.output<typeof endSchema>;

const COLUMNS: readonly [string, (line: ReportLine) => unknown][] = [
  ['id', ({ id }) => id],
  ['displayName', ({ displayName }) => displayName],
  ['kind', ({ kind }) => kind],
  ['source', ({ source }) => source],
  ['owners', ({ owners }) => owners],
  ['usableOwners', ({ usableOwners }) => usableOwners],
  ['members', ({ members }) => members],
  ['selfService', ({ selfService }) => selfService],
  ['policy', ({ policy }) => policy],
  ['ownersTold', ({ ownersTold }) => ownersTold],
  ['standing', ({ standing }) => standing],
  ['ownersManage', ({ ownersManage }) => ownersManage],
  ['rule', ({ rule }) => rule],
  ['reason', ({ reason }) => reason],
  ['change', ({ change }) => change],
  ['after', ({ after }) => after],
];

const cell = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/** The names of the columns, as a line of CSV. */
export const csvHead = (): string => csvLine(COLUMNS.map(([name]) => name));
/** A group as a line of CSV; its name is somebody else's text and never a formula. */
export const csvOf = (line: ReportLine): string => csvLine(COLUMNS.map(([, of]) => cell(of(line))));

/** The report as one JSON document that can be written as it is read: these three in this order make it. */
export const jsonDocument = {
  head: (head: ReportHead): string => `${JSON.stringify(head).slice(0, -1)},"value":[`,
  line: (line: ReportLine, isFirst: boolean): string => `${isFirst ? '\n' : ',\n'}${JSON.stringify(line)}`,
  end: (end: ReportEnd): string => `\n],${JSON.stringify(end).slice(1)}\n`,
};

/** As JSON lines: the first is the head, the last the end, each between them a group. */
export const jsonLine = z.union([
  z.object({ head: headSchema }),
  z.object({ group: lineSchema }),
  z.object({ end: endSchema }),
]);
