import { z } from 'zod';
import { apps, people } from '../demo-tenant';

/** One thing that happened to a request. */
export interface TimelineEntry {
  at: string;
  event: string;
  text: string;
  by: string;
}

/** A request as the list shows it. */
export interface RequestSummary {
  id: string;
  state: string;
  group: string;
  requester: string;
  filedAt: string;
}

/** A request as its page shows it: what the API says of it, labelled, and what happened. */
export interface RequestDetails extends RequestSummary {
  facts: [string, string][];
  timeline: TimelineEntry[];
}

// Characters that change how what stands after them is shown: directions (UAX #9), and controls other than line breaks and tabs.
const DISRUPTIVE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text with those characters spelt out (`⟨U+202E⟩`), so that they can be seen and do nothing. */
export const spelledOut = (text: string): string =>
  text.replace(DISRUPTIVE, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);

const DURATION = /\bP(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?(?![\w-])/g;
const UNITS = ['week', 'day', 'hour', 'minute', 'second'];

/** A text with its ISO 8601 durations in words: `P1DT12H` is `1 day 12 hours`. */
export const durationsInWords = (text: string): string =>
  text.replace(DURATION, (...match: unknown[]) => {
    const parts = UNITS.flatMap((unit, index) => {
      const amount = match[index + 1];
      return typeof amount === 'string' ? [`${Number(amount)} ${unit}${Number(amount) === 1 ? '' : 's'}`] : [];
    });
    return parts.join(' ');
  });

const shown = z.string().transform(spelledOut);

// The page follows the app's answers: it needs an id, shows what it knows, and passes over the rest.
const named = z.looseObject({ id: shown.default(''), name: shown.optional() });
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const summarySchema = z.looseObject({
  id: z.string().min(1),
  state: shown.catch('unknown'),
  group: named.catch({ id: '' }),
  requester: named.catch({ id: '' }),
  filedAt: z.string().catch(''),
});

const entrySchema = z.looseObject({
  at: z.string().catch(''),
  event: shown.catch(''),
  text: shown.transform(durationsInWords).catch(''),
  by: named.catch({ id: '' }),
});

const detailsSchema = summarySchema.extend({
  justification: optional(shown),
  duration: optional(shown.transform(durationsInWords)),
  waitingFor: optional(z.looseObject({ sentence: shown })),
  nextStepAt: optional(z.string()),
  stage: optional(z.looseObject({ number: z.int(), of: z.int(), required: z.int(), approvals: z.int() })),
  approvers: optional(z.array(named)),
  membership: optional(z.looseObject({ from: z.string(), until: z.string().optional() })),
  reason: optional(z.looseObject({ sentence: shown })),
  timeline: z.array(entrySchema).catch([]),
});

const listSchema = z.looseObject({ value: z.array(z.unknown()).catch([]), nextLink: optional(z.string()) });

function nameOf({ id, name }: z.infer<typeof named>): string {
  if (name !== undefined && name !== '') return name;
  if (id === 'gatehouse') return 'Gatehouse';
  const app = Object.values(apps).find(({ objectId, clientId }) => id === objectId || id === clientId);
  return (app ?? Object.values(people).find((person) => person.id === id))?.displayName ?? id;
}

const summary = (fields: z.infer<typeof summarySchema>): RequestSummary => ({
  id: fields.id,
  state: fields.state,
  group: nameOf(fields.group),
  requester: nameOf(fields.requester),
  filedAt: fields.filedAt,
});

/** The requests on a page of the operators' list, and the address of the next page if there is one. */
export function readRequests(body: unknown): { requests: RequestSummary[]; next: string | undefined } {
  const list = listSchema.safeParse(body).data;
  const requests = (list?.value ?? []).flatMap((item) => {
    const parsed = summarySchema.safeParse(item);
    return parsed.success ? [summary(parsed.data)] : [];
  });
  return { requests, next: list?.nextLink };
}

/** A single request; undefined where the answer is none. */
export function readRequest(body: unknown): RequestDetails | undefined {
  const fields = detailsSchema.safeParse(body).data;
  if (fields === undefined) return undefined;
  const { stage, membership } = fields;
  const facts: [string, string | undefined][] = [
    ['Reason given', fields.justification],
    ['Asked for', fields.duration],
    ['Waits for', fields.waitingFor?.sentence],
    ['Next step', fields.nextStepAt],
    ['Stage', stage && `${stage.number} of ${stage.of}; ${stage.approvals} of ${stage.required} approvals`],
    ['May decide', fields.approvers?.map(nameOf).join(', ')],
    ['Member from', membership?.from],
    ['Member until', membership?.until],
    ['Why', fields.reason?.sentence],
    ['Filed', fields.filedAt],
    ['Id', fields.id],
  ];
  return {
    ...summary(fields),
    facts: facts.flatMap(([label, value]) => (value === undefined || value === '' ? [] : [[label, value]])),
    timeline: fields.timeline.map(({ at, event, text, by }) => ({ at, event, text, by: nameOf(by) })),
  };
}
