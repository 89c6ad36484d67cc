import { z } from 'zod';

import type { DossierOf } from './records/dossiers';

// What the API says alike of whatever people ask for: join requests and group changes.

export const named = z.object({ id: z.string(), name: z.string() });
export const time = z.iso.datetime();

/** What it waits for, and that in words; null where nothing is left to do. */
export const waitingForSchema = z
  .object({ what: z.enum(['mail', 'decision', 'directory', 'operations']), sentence: z.string() })
  .nullable();

export const timelineSchema = z.array(
  z.object({
    seq: z.int(),
    at: time,
    event: z.string(),
    text: z.string(),
    by: z.object({ kind: z.enum(['person', 'app', 'gatehouse']), id: z.string(), name: z.string().optional() }),
  }),
);

/** The trail as the API tells it: each entry with its sentence, and without what it holds besides. */
export const timelineIn = <Entry extends DossierOf<unknown, string>['trail'][number]>(
  trail: readonly Entry[],
  sentence: (entry: Entry) => string,
): z.output<typeof timelineSchema> =>
  trail.map((entry) => {
    const { seq, at, event, by } = entry;
    return {
      seq,
      at,
      event,
      text: sentence(entry),
      by: { kind: by.kind, id: by.id, ...(by.name !== undefined && { name: by.name }) },
    };
  });
