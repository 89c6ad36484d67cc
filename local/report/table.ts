import type { ReportEnd, ReportHead, ReportLine } from '../../shared/reports/document';

const WIDTHS = { kind: 22, owners: 7, members: 8, standing: 13, name: 42 } as const;

/** Text of somebody else's for a terminal: nothing in it moves the cursor or turns the direction of writing. */
export const forTerminal = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '�');

function fit(text: string, width: number): string {
  const points = [...text];
  return points.length > width ? `${points.slice(0, width - 1).join('')}…` : text + ' '.repeat(width - points.length);
}

const row = (cells: readonly [string, number][], last: string): string =>
  `${cells.map(([text, width]) => fit(text, width)).join(' ')} ${last}`.trimEnd() + '\n';

export const tableHead = (): string =>
  row(
    [
      ['KIND', WIDTHS.kind],
      ['OWNERS', WIDTHS.owners],
      ['MEMBERS', WIDTHS.members],
      ['SELF-SERVICE', WIDTHS.standing],
      ['NAME', WIDTHS.name],
    ],
    'RULE',
  );

/** A group: `1/2` owners are one who can decide, of two. */
export const tableRow = (line: ReportLine): string =>
  row(
    [
      [line.kind, WIDTHS.kind],
      [`${String(line.usableOwners)}/${String(line.owners)}`, WIDTHS.owners],
      [line.members === null ? '–' : String(line.members), WIDTHS.members],
      [line.ownersManage ? 'yes' : line.standing === 'impossible' ? 'impossible' : 'no', WIDTHS.standing],
      [forTerminal(line.displayName), WIDTHS.name],
    ],
    line.rule ?? '',
  );

/** What each rule says, and what would change it. There are few, however many the groups. */
export type Legend = Map<string, { reason: string; change: string | null }>;

export function addToLegend(legend: Legend, { rule, reason, change }: ReportLine): void {
  if (rule !== null && !legend.has(rule)) legend.set(rule, { reason: reason ?? '', change });
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
    .join(', ');

/** What stands below the table: the rules, the sums, the exit criteria with their evidence, and the announcement. */
export function tableEnd({ totals, checklist, announcement }: ReportEnd, head: ReportHead, legend: Legend): string {
  const rules = [...legend]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .flatMap(([rule, { reason, change }]) => [
      `  ${rule} (${(totals.byRule[rule] ?? 0).toLocaleString('en')})`,
      `    ${reason}`,
      ...(change === null ? [] : [`    What would change it: ${change}`]),
    ]);
  const criteria = checklist.flatMap(({ met, title, evidence, next }) => [
    `  [${met ? 'x' : ' '}] ${title}`,
    `      ${forTerminal(evidence)}`,
    ...(next === null ? [] : [`      To do: ${next}`]),
  ]);
  return [
    '',
    `${totals.groups.toLocaleString('en')} groups: ${listed(totals.byKind)}`,
    `Standing: ${listed(totals.byStanding)}`,
    ...head.off,
    '',
    ...(rules.length === 0 ? [] : ['What the rules say', ...rules, '']),
    'Exit criteria',
    ...criteria,
    '',
    'Announcement for the owners',
    `  Subject: ${announcement.subject}`,
    '',
    ...announcement.text.split('\n').map((line) => (line === '' ? '' : `  ${line}`)),
    '',
  ].join('\n');
}
