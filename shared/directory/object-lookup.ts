import type { Group, Person } from '../domain/eligibility';
import { inParallel } from '../parallel';
import { GROUP_PROPERTIES, PERSON_PROPERTIES, toGroup, toPerson } from './graph-objects';
import { BATCH_LIMIT, graphReader } from './graph-reader';
import type { GraphSource } from './graph-reader';

/** Many groups or people by their object ids, for workflows that look at all that there is. Missing objects are left out. */
export interface ObjectLookup {
  /** @throws {DirectoryUnavailable | DirectoryRefused} */
  groups(ids: Iterable<string>): Promise<Map<string, Group>>;
  /** @throws {DirectoryUnavailable | DirectoryRefused} */
  people(ids: Iterable<string>): Promise<Map<string, Person>>;
}

/** Batches that are under way at once. */
const PARALLEL = 4;
/** A lookup that takes longer is broken off: an activity must end within the host's `functionTimeout`. */
const LONGEST_MS = 120_000;

/** The lookup on Microsoft Graph v1.0, 20 objects in one `$batch`. It waits where Graph says so, and breaks off where that goes on. */
export function objectLookup(source: GraphSource): ObjectLookup {
  const found = async <T extends { id: string }>(
    ids: Iterable<string>,
    path: (id: string) => string,
    read: (body: unknown) => T,
  ): Promise<Map<string, T>> => {
    const reader = graphReader({ ...source, signal: AbortSignal.timeout(LONGEST_MS) });
    const wanted = [...new Set(ids)];
    const pieces = Array.from({ length: Math.ceil(wanted.length / BATCH_LIMIT) }, (_, n) =>
      wanted.slice(n * BATCH_LIMIT, (n + 1) * BATCH_LIMIT),
    );
    const objects = new Map<string, T>();
    await inParallel(PARALLEL, pieces, async (piece) => {
      const bodies = await reader.batch(piece.map((id) => ({ path: path(encodeURIComponent(id)) })));
      for (const body of bodies) {
        if (body === undefined) continue;
        const object = read(body);
        objects.set(object.id, object);
      }
    });
    return objects;
  };
  return {
    groups: (ids) => found(ids, (id) => `/groups/${id}?$select=${GROUP_PROPERTIES}`, toGroup),
    people: (ids) => found(ids, (id) => `/users/${id}?$select=${PERSON_PROPERTIES}`, toPerson),
  };
}
