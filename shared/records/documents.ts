import { odata } from '@azure/data-tables';

import type { Facts, Origin } from '../domain/audit-chain';
import type { Actor } from '../domain/join-request';
import type { Named } from '../domain/policy';
import type { GroupTrail } from './audit';
import { Conflict } from './tables';
import type { Row, Table } from './tables';

/** A document and the version it is of. */
export interface VersionOf<Content> {
  policy: Content;
  version: number;
  etag: string;
  changedAt: string;
  changedBy: string;
}

/** Who writes a document, and how. */
export interface PolicyWriter {
  actor: Actor;
  route: string;
  from?: Origin;
  /** Why, in the writer's words. */
  reason?: string;
}

/** Documents of which every version is kept, each in a partition of its own with the trail of what changed it. */
export interface Documents<Content> {
  current(partitionKey: string): Promise<VersionOf<Content> | undefined>;
  /** Every version, the latest first. */
  versions(partitionKey: string): Promise<VersionOf<Content>[]>;
  /** Writes a new version with its entry in the trail, and keeps the old. @throws {Conflict} where `etag` is not that of the present one (absent: there must be none). */
  write(
    partitionKey: string,
    content: Content,
    by: PolicyWriter & { at: Date; etag?: string },
  ): Promise<VersionOf<Content>>;
}

export interface DocumentKind<Content> {
  parse(json: unknown): Content;
  /** Ids that the document names. */
  named(content: Content): Named[];
  /** Of the version, as `group@3` has it. */
  label(partitionKey: string): string;
  /** What the trail calls a new version. */
  event: string;
}

/** How often a change is tried again where only the trail went on meanwhile. */
const ATTEMPTS = 8;

export function documents<Content extends Facts>(
  table: Table,
  trail: GroupTrail,
  kind: DocumentKind<Content>,
): Documents<Content> {
  const parse = (row: Row): VersionOf<Content> => ({
    // parsed, not trusted: a version of Gatehouse with more rules fills in their defaults
    policy: kind.parse(JSON.parse(String(row['policy']))),
    version: Number(row['version']),
    etag: row.etag,
    changedAt: String(row['changedAt']),
    changedBy: String(row['changedBy']),
  });
  const current = async (partitionKey: string): Promise<VersionOf<Content> | undefined> => {
    const row = await table.get(partitionKey, 'current');
    return row && parse(row);
  };
  return {
    current,
    versions: async (partitionKey) => {
      const found: VersionOf<Content>[] = [];
      const range = odata`PartitionKey eq ${partitionKey} and RowKey ge ${'v_'}`;
      for await (const row of table.list(range)) found.unshift(parse(row));
      return found;
    },
    write: async (partitionKey, policy, { actor, route, from, reason, at, etag }) => {
      // before the policy, so that none is in force whose groups are not protected yet
      const named = kind.named(policy).filter((each) => each.kind === 'group');
      const mark = (id: string) => ({ partitionKey: `named_${id}`, rowKey: partitionKey });
      await Promise.all(named.map(({ id }) => table.put(mark(id))));
      for (let left = ATTEMPTS; ; left -= 1) {
        const present = await current(partitionKey);
        if (present?.etag !== etag) throw new Conflict('the policy was changed meanwhile');
        const version = (present?.version ?? 0) + 1;
        const content = { policy: JSON.stringify(policy), version, changedAt: at.toISOString(), changedBy: actor.id };
        const row = { partitionKey, rowKey: 'current', ...content };
        const why = reason === undefined ? {} : { data: { reason } };
        const entry = { event: kind.event, at: content.changedAt, by: actor, ...why };
        const entries = await trail.next(partitionKey, [entry], {
          route,
          ...(from !== undefined && { from }),
          policyVersion: `${kind.label(partitionKey)}@${String(version)}`,
          ...(present !== undefined && { before: { ...present.policy } }),
          after: { ...policy },
        });
        try {
          const etagOf = await table.transact([
            etag === undefined ? ['create', row] : ['update', row, 'Replace', { etag }],
            ['create', { partitionKey, rowKey: `v_${String(version).padStart(6, '0')}`, ...content }],
            ...entries,
          ]);
          // after the policy: what only the version before named is free again
          const before = present === undefined ? [] : kind.named(present.policy);
          const freed = before.filter((each) => each.kind === 'group' && !named.some((group) => group.id === each.id));
          await Promise.all(freed.map(({ id }) => table.delete(mark(id).partitionKey, mark(id).rowKey)));
          return { policy, version, etag: etagOf('current') ?? '', changedAt: content.changedAt, changedBy: actor.id };
        } catch (error) {
          if (!(error instanceof Conflict) || left <= 1) throw error;
        }
      }
    },
  };
}
