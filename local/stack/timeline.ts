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

// The page follows the app's answers: it needs an id, shows what it knows, and passes over the rest.
const named = z.looseObject({ id: z.string().default(''), name: z.string().optional() });
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const summarySchema = z.looseObject({
  id: z.string().min(1),
  state: z.string().catch('unknown'),
  group: named.catch({ id: '' }),
  requester: named.catch({ id: '' }),
  filedAt: z.string().catch(''),
});

const entrySchema = z.looseObject({
  at: z.string().catch(''),
  event: z.string().catch(''),
  text: z.string().catch(''),
  by: named.catch({ id: '' }),
});

const detailsSchema = summarySchema.extend({
  justification: optional(z.string()),
  duration: optional(z.string()),
  waitingFor: optional(z.looseObject({ sentence: z.string() })),
  nextStepAt: optional(z.string()),
  stage: optional(z.looseObject({ number: z.int(), of: z.int(), required: z.int(), approvals: z.int() })),
  approvers: optional(z.array(named)),
  membership: optional(z.looseObject({ from: z.string(), until: z.string().optional() })),
  reason: optional(z.looseObject({ sentence: z.string() })),
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
