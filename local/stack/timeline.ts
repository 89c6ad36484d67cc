import { z } from 'zod';

/** One thing that happened to a request, ready to show. */
export interface TimelineEntry {
  at: string;
  what: string;
  by: string;
  details: string;
}

/** A request as the page shows it. */
export interface RequestSummary {
  id: string;
  state: string;
  group: string;
  requester: string;
  at: string;
}

export interface RequestDetails extends RequestSummary {
  facts: [string, string][];
  trail: TimelineEntry[];
}

// The page follows the app's answers rather than prescribing them: what it doesn't know it shows by its own name.
const record = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof record>;

const TIMES = ['at', 'time', 'timestamp', 'occurredAt', 'filedAt', 'createdAt'];
const EVENTS = ['event', 'type', 'kind', 'what', 'action'];
const ACTORS = ['by', 'actor'];

function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const named = record.safeParse(value).data;
  for (const key of ['displayName', 'name', 'userPrincipalName', 'sentence', 'id']) {
    if (typeof named?.[key] === 'string') return named[key];
  }
  return JSON.stringify(value);
}

function first(fields: Fields, names: string[]): string {
  for (const name of names) if (fields[name] !== undefined && fields[name] !== null) return text(fields[name]);
  return '';
}

const listOf = (value: unknown): Fields[] => {
  const list = z.array(record).safeParse(value);
  return list.success ? list.data : [];
};

function rows(body: unknown): Fields[] {
  if (Array.isArray(body)) return listOf(body);
  const fields = record.safeParse(body).data ?? {};
  return (
    Object.values(fields)
      .map(listOf)
      .find((list) => list.length > 0) ?? []
  );
}

function summary(fields: Fields): RequestSummary {
  return {
    id: first(fields, ['id', 'requestId']),
    state: first(fields, ['state', 'status']),
    group: first(fields, ['group', 'groupName', 'groupId']),
    requester: first(fields, ['requester', 'requesterName', 'requesterId']),
    at: first(fields, TIMES.slice().reverse()),
  };
}

/** The requests in an answer of the operators' list. */
export const readRequests = (body: unknown): RequestSummary[] =>
  rows(body)
    .map(summary)
    .filter(({ id }) => id !== '');

/** The address of the list's next page, if there is one. */
export const readNextLink = (body: unknown): string | undefined => {
  const link = record.safeParse(body).data?.['nextLink'];
  return typeof link === 'string' ? link : undefined;
};

function entry(fields: Fields): TimelineEntry {
  const shown = new Set([...TIMES, ...EVENTS, ...ACTORS]);
  const rest = Object.entries(fields).filter(
    ([name, value]) => !shown.has(name) && value !== null && value !== undefined,
  );
  return {
    at: first(fields, TIMES),
    what: first(fields, EVENTS),
    by: first(fields, ACTORS),
    details: rest
      .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : text(value)}`)
      .join(' · '),
  };
}

/** A single request with its timeline, the oldest entry first. */
export function readRequest(body: unknown): RequestDetails {
  const fields = record.safeParse(body).data ?? {};
  const isTrail = (list: Fields[]): boolean =>
    list.some((each) => first(each, TIMES) !== '' && first(each, EVENTS) !== '');
  const trails = Object.entries(fields).filter(([, value]) => isTrail(listOf(value)));
  const names = new Set(trails.map(([name]) => name));
  return {
    ...summary(fields),
    facts: Object.entries(fields)
      .filter(([name, value]) => !names.has(name) && value !== null && value !== undefined)
      .map(([name, value]) => [name, text(value)]),
    trail: trails
      .flatMap(([, value]) => listOf(value))
      .map(entry)
      .sort((a, b) => a.at.localeCompare(b.at)),
  };
}
