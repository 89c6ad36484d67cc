import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import type { DossierOf } from '../shared/records/dossiers';
import { LINK_ID } from '../shared/records/links';
import { COMMENT_LENGTH } from '../shared/web/pages/decision-form';
import type { TimelineItem } from '../shared/web/pages/decision';
import type { Visit } from './door';
import { signInFirst, signOutFirst } from './page-answers';
import { plainText } from './parameters';

// The links in mails that ask somebody to decide: about a join request, or about a group that is to be created.

export const linkParams = z.object({ linkId: z.string().max(200) });
export type LinkVisit = Visit<z.output<typeof linkParams>>;

export const choiceSchema = z.enum(['approve', 'deny']);

/** What every form posts that decides. */
export const decisionFields = {
  decision: choiceSchema.optional(),
  comment: plainText(COMMENT_LENGTH)
    .default('')
    .transform((text) => text.trim()),
  token: z.string().default(''),
};

/** Choice and comment as they were typed, to be shown again. */
export function typedDecision({ decision, comment }: Readonly<Record<string, string>>): {
  choice?: 'approve' | 'deny';
  comment?: string;
} {
  const choice = choiceSchema.safeParse(decision);
  return { ...(choice.success && { choice: choice.data }), ...(comment !== undefined && { comment }) };
}

export interface Signed<Dossier> {
  person: { id: string; name: string };
  dossier: Dossier;
  /** The index of the stage for which the link was made. */
  stage?: number;
}

/** The link's person, signed in, and what the link names; or the page that is shown instead. */
export async function signedInByLink<Dossier>(
  { caller, params, services }: LinkVisit,
  read: (id: string) => Promise<Dossier | undefined>,
  path: string,
  failure: number,
): Promise<Signed<Dossier> | HttpResponseInit> {
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  const link = LINK_ID.test(params.linkId) ? await services.records.links.read(params.linkId) : undefined;
  if (link?.personId !== caller.id) return signOutFirst(path, failure);
  const dossier = await read(link.requestId);
  return dossier === undefined
    ? signOutFirst(path, failure)
    : {
        person: { id: caller.id, name: caller.name },
        dossier,
        ...(link.stage !== undefined && { stage: link.stage }),
      };
}

/** Where a link leads: `decisions` or `group-decisions`. */
export const linkPath = (page: string, linkId: string, choice?: string): string =>
  `/api/${page}/${encodeURIComponent(linkId)}${choice === undefined ? '' : `?choice=${choice}`}`;

/** What happened, as pages show it. */
export const timelineItems = <Entry extends DossierOf<unknown, string>['trail'][number]>(
  trail: readonly Entry[],
  sentence: (entry: Entry) => string,
): TimelineItem[] =>
  trail.map((entry) => ({
    at: new Date(entry.at),
    text: sentence(entry),
    ...(entry.by.kind === 'person' && entry.by.name !== undefined && { by: entry.by.name }),
  }));
