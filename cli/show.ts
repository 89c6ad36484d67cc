// The API's answers for people. `--json` prints them as they are.
import { age, columns, moment, printableLines } from './terminal';
import { at, listAt, numberAt, textAt } from './value';

type Fact = readonly [label: string, value: string | undefined];

/** Facts under each other; those without a value are left out, further lines of a value stand under its first. */
function facts(all: readonly Fact[]): string {
  return columns(
    all.flatMap(([label, value]) =>
      value === undefined || value === ''
        ? []
        : printableLines(value)
            .split('\n')
            .map((line, index) => [index === 0 ? label : '', line]),
    ),
  );
}

const name = (value: unknown): string | undefined => {
  const [id, called] = [textAt(value, 'id'), textAt(value, 'name')];
  if (called === undefined) return id;
  return id === undefined ? called : `${called} (${id})`;
};

const timeAt = (value: unknown, ...path: string[]): string | undefined => {
  const text = textAt(value, ...path);
  return text === undefined ? undefined : moment(text);
};

const table = (heads: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string =>
  columns([heads.map((head) => head.toUpperCase()), ...rows.map((row) => row.map((cell) => cell ?? ''))]);

/** A request: what stands, who may decide, what happened. */
export function showStatus(status: unknown): string {
  const stage = at(status, 'stage');
  const timeline = listAt(status, 'timeline');
  const shown = facts([
    ['Request', textAt(status, 'id')],
    ['State', textAt(status, 'state')],
    ['Why', textAt(status, 'reason', 'sentence')],
    ['Group', name(at(status, 'group'))],
    ['Person', name(at(status, 'requester'))],
    ['Filed', timeAt(status, 'filedAt')],
    ['Reason', textAt(status, 'justification')],
    ['Duration', textAt(status, 'duration')],
    ['Extends', timeAt(status, 'extends', 'until')],
    ['Waits for', textAt(status, 'waitingFor', 'sentence')],
    ['Next step', nextStep(status)],
    [
      'Stage',
      stage === undefined
        ? undefined
        : `${count(stage, 'number')} of ${count(stage, 'of')}, ${count(stage, 'approvals')} of ${count(stage, 'required')} approvals`,
    ],
    [
      'May decide',
      listAt(status, 'approvers')
        .flatMap((each) => name(each) ?? [])
        .join('\n'),
    ],
    ['Member', membership(at(status, 'membership'))],
  ]);
  if (timeline.length === 0) return shown;
  const rows = timeline.map((entry) => [
    timeAt(entry, 'at'),
    textAt(entry, 'event'),
    textAt(entry, 'text'),
    textAt(entry, 'by', 'name') ?? textAt(entry, 'by', 'id'),
  ]);
  return `${shown}\n\n${table(['At', 'Event', 'What happened', 'By'], rows)}`;
}

const count = (value: unknown, part: string): string => String(numberAt(value, part) ?? '?');

function nextStep(request: unknown): string | undefined {
  const due = timeAt(request, 'nextStepAt');
  return due !== undefined && at(request, 'overdue') === true ? `${due}, overdue` : due;
}

function membership(value: unknown): string | undefined {
  const from = timeAt(value, 'from');
  if (from === undefined) return undefined;
  const ended = at(value, 'ended');
  const over = ended === undefined ? undefined : `ended ${timeAt(ended, 'at') ?? ''}: ${textAt(ended, 'how') ?? ''}`;
  const lapsing = at(value, 'lapsing') === true ? ', lapses then' : '';
  const until = timeAt(value, 'until');
  return [`from ${from}${until === undefined ? '' : ` until ${until}${lapsing}`}`, over, textAt(ended, 'reason')]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** Open requests, a line each. */
export function showOpenRequests(answer: unknown): string {
  const requests = listAt(answer, 'value');
  if (requests.length === 0) return 'No request is open.';
  return table(
    ['Id', 'Age', 'State', 'Person', 'Group', 'Waits for', 'Next step'],
    requests.map((request) => {
      const seconds = numberAt(request, 'ageSeconds');
      return [
        textAt(request, 'id'),
        seconds === undefined ? undefined : age(seconds),
        textAt(request, 'state'),
        textAt(request, 'requester', 'name'),
        textAt(request, 'group', 'name'),
        textAt(request, 'waitingFor') ?? textAt(request, 'waitingFor', 'what'),
        nextStep(request),
      ];
    }),
  );
}

/** What would happen if a person asked. */
export function showDryRun(answer: unknown): string {
  const errors = listAt(answer, 'errors').map((error) => textAt(error, 'detail'));
  const decided = at(answer, 'withoutAsking') === true ? 'yes, and nobody would be asked' : 'yes';
  const head = facts([
    ['May ask', at(answer, 'eligible') === true ? decided : 'no'],
    ['Why', [textAt(answer, 'refusal', 'sentence'), ...errors].filter((line) => line !== undefined).join('\n')],
    ['Policy', textAt(answer, 'policyVersion')],
    ['Duration', textAt(answer, 'duration')],
    ['Extends', timeAt(answer, 'extends', 'until')],
    ['Cool-down', textAt(answer, 'coolDown')],
  ]);
  return [head, ...listAt(answer, 'stages').map(stageFacts)].join('\n\n');
}

const stageFacts = (stage: unknown): string =>
  facts([
    ['Stage', count(stage, 'number')],
    [
      'Decide',
      listAt(stage, 'parties')
        .map((party) => {
          const people = listAt(party, 'people').flatMap((each) => name(each) ?? []);
          return `${count(party, 'required')} of ${people.length === 0 ? 'nobody' : people.join(', ')}`;
        })
        .join('\n'),
    ],
    ['Opens', timeAt(stage, 'opensAt')],
    [
      'Reminders',
      listAt(stage, 'remindersAt')
        .flatMap((each) => (typeof each === 'string' ? moment(each) : []))
        .join('\n'),
    ],
    ['Escalates', timeAt(stage, 'escalatesAt')],
    ['Expires', timeAt(stage, 'expiresAt')],
  ]);

/** Entries of the audit trail, a line each. */
export function showAudit(answer: unknown): string {
  const entries = listAt(answer, 'value');
  if (entries.length === 0) return 'Nothing was found on this page.';
  return table(
    ['At', 'Event', 'By', 'Group', 'Person', 'Request'],
    entries.map((entry) => [
      timeAt(entry, 'at'),
      textAt(entry, 'event'),
      textAt(entry, 'by', 'name') ?? textAt(entry, 'by', 'id'),
      textAt(entry, 'groupId'),
      textAt(entry, 'personId'),
      textAt(entry, 'requestId'),
    ]),
  );
}

/** Every single value in it by its path, such as `stages[0].deadline`. Empty lists and objects stand for themselves. */
export function leaves(value: unknown, path = ''): [path: string, text: string][] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((each: unknown, index) => leaves(each, `${path}[${String(index)}]`));
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([part, each]) => leaves(each, path === '' ? part : `${path}.${part}`));
  return [[path, typeof value === 'string' ? moment(value) : JSON.stringify(value)]];
}

/** Any answer: a list of objects as a table of their plain values, anything else as its single values. */
export function showAnything(answer: unknown): string {
  const list = listAt(answer, 'value');
  if (list.length === 0) return facts(leaves(answer));
  const rows = list.map((each) => new Map(leaves(each)));
  const heads = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  // what has more columns than a screen is read one after the other
  if (heads.length > MOST_COLUMNS) return list.map((each) => facts(leaves(each))).join('\n\n');
  return table(
    heads,
    rows.map((row) => heads.map((head) => row.get(head))),
  );
}

const MOST_COLUMNS = 8;
