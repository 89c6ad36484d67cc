import { addToTotals, exitCriteria, NO_TOTALS, ownersAnnouncement } from '../../shared/domain/self-service-report';
import { jsonLine, OWNERS_GROUPS } from '../../shared/reports/document';
import type { ReportEnd, ReportHead, ReportLine } from '../../shared/reports/document';

/** The report, piece by piece. Lines are given once, also where an answer broke off and was gone on with. */
export type ReportPart = { head: ReportHead } | { lines: ReportLine[] } | { end: ReportEnd };

export interface ReportSource {
  baseUrl: string;
  /** A token for the API that is good now. */
  token(): Promise<string>;
}

export interface ReadOptions {
  members: boolean;
  pageSize?: number;
  signal?: AbortSignal;
  /** Called with how many groups came so far. */
  onLine?: (read: number) => void;
  /** Called where the report broke off and is gone on with. */
  onRetry?: (why: string, waitMs: number) => void;
}

/** The report can't be had; the message says why. */
export class ReportFailed extends Error {
  override name = 'ReportFailed';
}

/** What another attempt may mend. */
class BrokenOff extends Error {
  override name = 'BrokenOff';
  constructor(
    message: string,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/** So many attempts in a row that bring nothing. */
const ATTEMPTS = 6;
const LONGEST_WAIT_MS = 120_000;

/** Reads the report of a deployment to its end: what breaks off is gone on with where it stopped. @throws {ReportFailed} */
export async function* readReport(source: ReportSource, options: ReadOptions): AsyncGenerator<ReportPart, void> {
  const { signal, onLine, onRetry } = options;
  let head: ReportHead | undefined;
  let after: string | undefined;
  let totals = NO_TOTALS;
  const spent = { graphCalls: 0, throttled: 0 };
  for (let failures = 0; ;) {
    // lines behind the last place come again after a break
    let held: ReportLine[] = [];
    const take = (): ReportLine[] => {
      const taken = held.map(({ after: _place, ...line }) => line);
      totals = taken.reduce(addToTotals, totals);
      held = [];
      return taken;
    };
    try {
      for await (const part of answered(source, options, after)) {
        if ('head' in part) {
          if (head === undefined) yield part;
          head ??= part.head;
        } else if ('group' in part) {
          held.push(part.group);
          onLine?.(totals.groups + held.length);
          if (part.group.after === undefined) continue;
          after = part.group.after;
          failures = 0;
          yield { lines: take() };
        } else {
          yield { lines: take() };
          yield { end: endOf(part.end, head, totals, sum(spent, part.end.spent)) };
          return;
        }
      }
      throw new BrokenOff('the answer broke off');
    } catch (error) {
      if (signal?.aborted === true || !(error instanceof BrokenOff)) throw error;
      failures += 1;
      if (failures >= ATTEMPTS) throw new ReportFailed(`${error.message}, ${String(failures)} times in a row.`);
      const wait = error.retryAfterMs ?? 500 * 2 ** failures;
      onRetry?.(error.message, wait);
      await pause(wait, signal);
    }
  }
}

const sum = (total: ReportEnd['spent'], more: ReportEnd['spent']): ReportEnd['spent'] => ({
  graphCalls: total.graphCalls + more.graphCalls,
  throttled: total.throttled + more.throttled,
});

/** The end of the whole, where the last answer was a part of it. */
function endOf(
  end: ReportEnd,
  head: ReportHead | undefined,
  totals: typeof NO_TOTALS,
  spent: ReportEnd['spent'],
): ReportEnd {
  return {
    ...end,
    complete: true,
    totals: { ...totals },
    checklist: exitCriteria(totals, true, head?.defaultPolicy ?? ''),
    announcement: ownersAnnouncement(OWNERS_GROUPS, {
      groups: totals.byStanding['self-service'],
      deadline: end.policy.deadline,
      ...(end.policy.maximumDuration !== undefined && { maximumDuration: end.policy.maximumDuration }),
    }),
    spent,
  };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new ReportFailed('The report was broken off.'));
    });
  });
}

/** One answer, line by line. */
async function* answered(source: ReportSource, options: ReadOptions, after: string | undefined) {
  const query = new URLSearchParams({
    members: options.members ? 'count' : 'none',
    ...(options.pageSize !== undefined && { pageSize: String(options.pageSize) }),
    ...(after !== undefined && { after }),
  });
  const url = `${source.baseUrl}/api/reports/self-service?${query.toString()}`;
  const headers = { authorization: `Bearer ${await source.token()}`, accept: 'application/jsonl' };
  let response: Response;
  try {
    response = await fetch(url, { headers, ...(options.signal !== undefined && { signal: options.signal }) });
  } catch (error) {
    throw new BrokenOff(`${source.baseUrl} can’t be reached (${causeOf(error)})`);
  }
  if (!response.ok || response.body === null) throw await refusal(response);
  try {
    for await (const line of linesOf(response.body)) {
      const parsed = jsonLine.safeParse(orUndefined(line));
      if (!parsed.success) throw new BrokenOff('a line came that is not of the report');
      yield parsed.data;
    }
  } catch (error) {
    if (error instanceof BrokenOff) throw error;
    throw new BrokenOff(`the answer broke off (${causeOf(error)})`);
  }
}

/** Whole lines as they come; what stands behind the last line end is none. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function orUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
}

async function refusal(response: Response): Promise<Error> {
  const problem = orUndefined(await response.text());
  const detail =
    typeof problem === 'object' && problem !== null && 'detail' in problem ? `: ${String(problem.detail)}` : '';
  const what = `it answered ${String(response.status)}${detail}`;
  if (response.status !== 429 && response.status < 500) return new ReportFailed(`No report, ${what}`);
  const seconds = Number(response.headers.get('retry-after') ?? '');
  return new BrokenOff(what, seconds > 0 ? Math.min(seconds * 1_000, LONGEST_WAIT_MS) : undefined);
}
