// What commands do with the API's answers.
import { parseDuration } from '../shared/domain/duration';
import { retryAfterMs } from './api';
import type { Answer, Api, CallOptions } from './api';
import { optionName, positionalsOf } from './arguments';
import type { Invocation } from './arguments';
import { EXIT, exitCodeOf, usage } from './failure';
import type { ExitCode } from './failure';
import { operationOf } from './operations';
import { textOf } from './settings';
import type { Surroundings } from './surroundings';
import { printable, printableJson, printableLines } from './terminal';
import { at, listAt, textAt } from './value';

/** A command at work. */
export interface Visit extends Invocation, Surroundings {
  api: Api;
}

export const callOnce = async (visit: Visit): Promise<ExitCode> =>
  finish(visit, await visit.api.call(visit.operation, visit.values));

/** Prints the answer, or says what was wrong. */
export function finish(visit: Pick<Visit, 'given' | 'out' | 'tell' | 'command'>, answer: Answer): ExitCode {
  const code = exitCodeOf(answer.status);
  if (visit.given['json'] === true && answer.json !== undefined) visit.out(printableJson(answer.text));
  // an answer that is no problem is what was asked for, whatever its status: `not-ready`, say
  else if (code === EXIT.done || isOther(answer)) visit.out(`${visit.command.show(answer.json)}\n`);
  if (code !== EXIT.done) reportProblem(visit, answer);
  return code;
}

const isOther = ({ json, headers }: Answer): boolean =>
  json !== undefined && (headers.get('content-type') ?? '').startsWith('application/json');

/** Says on standard error what the problem details say. */
export function reportProblem({ tell, command }: Pick<Visit, 'tell' | 'command'>, answer: Answer): void {
  const { json, status } = answer;
  if (!isOther(answer)) {
    tell(textAt(json, 'title') ?? `Gatehouse answered ${String(status)}.`);
    const errors = listAt(json, 'errors');
    const detail = textAt(json, 'detail');
    if (errors.length === 0 && detail !== undefined) tell(`  ${detail}`);
    for (const error of errors)
      tell(`  ${given(command, textAt(error, 'pointer') ?? '')}${textAt(error, 'detail') ?? ''}`);
  }
  const wait = retryAfterMs(answer);
  if (wait !== undefined) tell(`Try again in ${String(Math.ceil(wait / 1_000))} seconds.`);
  const id = textAt(json, 'correlationId') ?? answer.headers.get('x-correlation-id');
  if (id != null) tell(`Correlation id: ${id}`);
}

/** What the pointer of a wrong field is called on the command line. */
function given(command: Visit['command'], pointer: string): string {
  if (pointer === '') return '';
  const name = pointer.replace(/^\//, '');
  const field = operationOf(command.operation).fields.find((each) => each.name === name);
  if (field === undefined || command.file === 'body') return `${pointer}: `;
  return positionalsOf(command).includes(field) ? `<${name}>: ` : `--${optionName(name)}: `;
}

/** One page, or with `--all` every one; other formats hold everything at once. */
export async function callPages(visit: Visit): Promise<ExitCode> {
  const format = textOf(visit.given, 'format');
  if (format !== undefined) return callForFormat(visit, format);
  let values = visit.values;
  for (;;) {
    const answer = await visit.api.call(visit.operation, values);
    const code = finish(visit, answer);
    const next = code === EXIT.done ? nextPage(answer) : undefined;
    if (next === undefined) return code;
    if (visit.given['all'] !== true) {
      if (visit.given['json'] !== true) visit.tell('There are more: say --all, or --page-size for longer pages.');
      return code;
    }
    values = { ...values, ...next };
  }
}

/** The parameters of the next page. Its link is asked at the address that we know, wherever it points. */
function nextPage({ json }: Answer): Record<string, string> | undefined {
  const link = textAt(json, 'nextLink');
  return link !== undefined && URL.canParse(link) ? Object.fromEntries(new URL(link).searchParams) : undefined;
}

const FORMATS: Readonly<Record<string, string>> = { csv: 'text/csv', jsonl: 'application/jsonl' };

async function callForFormat(visit: Visit, format: string): Promise<ExitCode> {
  const accept = FORMATS[format];
  if (accept === undefined) throw usage(`--format is one of ${Object.keys(FORMATS).join(', ')}.`);
  const options: CallOptions = { headers: { accept } };
  const answer = await visit.api.call(visit.operation, visit.values, options);
  if (exitCodeOf(answer.status) !== EXIT.done) return finish(visit, answer);
  visit.out(visit.isTerminal ? printableLines(answer.text) : answer.text);
  return EXIT.done;
}

/** Files a request, and follows it where that was asked for. */
export async function fileRequest(visit: Visit): Promise<ExitCode> {
  const limit = waitLimit(visit);
  const answer = await visit.api.call(visit.operation, visit.values);
  const id = textAt(answer.json, 'id');
  if (exitCodeOf(answer.status) !== EXIT.done || id === undefined) return finish(visit, answer);
  if (answer.status === 200) visit.tell('The person has an open request for this group already: this one.');
  if (limit === undefined) return finish(visit, answer);
  visit.tell(`Request ${id}`);
  return follow(visit, id, limit, answer);
}

export async function readStatus(visit: Visit): Promise<ExitCode> {
  const limit = waitLimit(visit);
  return limit === undefined ? callOnce(visit) : follow(visit, String(visit.values['requestId']), limit);
}

/** Milliseconds to follow a request; undefined where nobody asked to. */
function waitLimit({ given: options }: Pick<Visit, 'given'>): number | undefined {
  const timeout = textOf(options, 'timeout');
  if (options['wait'] !== true) {
    if (timeout !== undefined) throw usage('--timeout goes with --wait.');
    return undefined;
  }
  if (timeout === undefined) return Infinity;
  const ms = parseDuration(timeout);
  if (ms === undefined || ms <= 0) throw usage('--timeout is an ISO 8601 duration such as PT10M.');
  return ms;
}

/** States in which something may still happen by itself. */
const OPEN = new Set(['pending', 'approved', 'applying']);
const POLL_MS = 5_000;

/** Reads the request again and again, as often as the API says or every five seconds, until it has come to its end. */
async function follow(visit: Visit, requestId: string, limitMs: number, first?: Answer): Promise<ExitCode> {
  const end = performance.now() + limitMs;
  let told = '';
  for (let answer = first; ;) {
    if (answer !== undefined)
      await pause(Math.min(retryAfterMs(answer) ?? POLL_MS, Math.max(0, end - performance.now())));
    answer = await visit.api.call(operationOf('readJoinRequest'), { requestId });
    const code = exitCodeOf(answer.status);
    if (code !== EXIT.done && code !== EXIT.tryLater) return finish(visit, answer);
    const state = code === EXIT.done ? (textAt(answer.json, 'state') ?? '') : 'not to be read at the moment';
    const waitingFor = textAt(answer.json, 'waitingFor', 'sentence');
    const now = printable(`The request is ${state}${waitingFor === undefined ? '' : `; it waits for ${waitingFor}`}.`);
    if (code === EXIT.done && !OPEN.has(state)) {
      finish(visit, answer);
      return state === 'granted' ? EXIT.done : EXIT.otherOutcome;
    }
    if (now !== told) visit.tell(now);
    told = now;
    if (performance.now() >= end) {
      if (at(answer.json, 'id') !== undefined) finish(visit, answer);
      return EXIT.stillOpen;
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
