import { Hono } from 'hono';
import { z } from 'zod';
import { groupReadAll, need } from './access';
import { GraphProblem, unsupportedQuery } from './problems';
import type { GraphEnv } from './problems';
import { isProperty, project } from './properties';
import type { Group } from './properties';
import { answerData, context, refuseOptions } from './query';
import type { Graph } from './query';

const relations = { members: 'member', owners: 'owner' } as const;
type Relation = keyof typeof relations;

/** Where a round of change tracking stands. Everything asked for in the first call is carried along. */
const tokenSchema = z.strictObject({
  select: z.array(z.string()).optional(),
  top: z.int().optional(),
  /** Changes up to this one were told in earlier rounds; absent in the first, which lists all groups. */
  since: z.int().optional(),
  /** The change after which the page of a later round begins. */
  past: z.int().optional(),
  /** The last change that the first round's list is sure to show; the next round begins after it. */
  shown: z.int().optional(),
  /** In the first round, the id after which the page begins. */
  after: z.string().optional(),
});
type Token = z.output<typeof tokenSchema>;

/** What is carried from round to round. */
const asked = ({ select, top }: Token): Token => ({ ...(select && { select }), ...(top !== undefined && { top }) });

const write = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

function read(text: string): Token {
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw new GraphProblem(400, 'Directory_ExpiredPageToken', 'The delta token of the request is not valid.');
  }
}

function selected(text: string | undefined): string[] | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isProperty(['group'], name) && !(name in relations));
  if (unknown === undefined) return names;
  throw new GraphProblem(
    400,
    'BadRequest',
    `Parsing OData Select and Expand failed: Could not find a property named '${unknown}' on type 'microsoft.graph.group'.`,
  );
}

/**
 * `GET /groups/delta`, with `$select` (`members` and `owners` among it; without it members are told), `$top`,
 * `$skiptoken`, `$deltatoken` and `$deltatoken=latest`. The first round lists all groups with their members; later
 * rounds list what changed: groups, soft-deleted ones as `@removed` `changed`, ones that are gone as `@removed`
 * `deleted`, and per group who came and who went.
 */
export function groupDelta(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  const { store } = graph;

  const relationsOf = (token: Token): Relation[] =>
    token.select === undefined
      ? ['members']
      : (Object.keys(relations) as Relation[]).filter((name) => token.select?.includes(name));

  const reference = (id: string, gone: boolean): object[] => {
    const type = store.typeOf(id);
    if (type === undefined && !gone) return [];
    return [
      {
        '@odata.type': `#microsoft.graph.${type ?? 'user'}`,
        id,
        ...(gone && { '@removed': { reason: 'deleted' } }),
      },
    ];
  };

  const linked = (groupId: string, relation: Relation, since: number | undefined): object[] => {
    const kind = relations[relation];
    const all = store.ids(store.targets(kind, groupId, 'read'));
    if (since === undefined) return all.flatMap((id) => reference(id, false));
    const present = new Set(all);
    return store.changes.linksSince(kind, groupId, since).flatMap((id) => reference(id, !present.has(id)));
  };

  const entry = (group: Group, token: Token): object => {
    const names = token.select?.filter((name) => !(name in relations));
    const properties = project(group, names === undefined ? undefined : [...new Set(['id', ...names])]);
    const known = names === undefined ? Object.entries(properties).filter(([, value]) => value !== null) : undefined;
    const links = relationsOf(token).flatMap((relation): [string, object[]][] => {
      const found = linked(group.properties.id, relation, token.since);
      return found.length === 0 ? [] : [[`${relation}@delta`, found]];
    });
    return { ...(known === undefined ? properties : Object.fromEntries(known)), ...Object.fromEntries(links) };
  };

  const changeOf = (id: string, token: Token): object => {
    const group = store.findGroup(id);
    if (group !== undefined) return entry(group, token);
    return { id, '@removed': { reason: store.find(id, 'deleted') === undefined ? 'deleted' : 'changed' } };
  };

  /** The last change that readers know of by now; with a replication delay later ones may have been made. */
  const lastShown = (): number => store.changes.lastBefore(Date.now() - store.settings().replicationDelayMs);

  const link = (kind: 'nextLink' | 'deltaLink', token: Token): Record<string, string> => ({
    [`@odata.${kind}`]: `${graph.base()}/v1.0/groups/delta?$${kind === 'nextLink' ? 'skip' : 'delta'}token=${write(token)}`,
  });

  const firstRound = (token: Token, size: number): object => {
    const found = store.list({
      view: 'read',
      types: ['group'],
      ...(token.after !== undefined && { after: { id: token.after, displayName: '' } }),
      limit: size + 1,
    });
    const page = found.slice(0, size);
    const last = page.at(-1);
    return {
      ...(found.length > size && last !== undefined
        ? link('nextLink', { ...token, after: last.properties.id })
        : link('deltaLink', { ...asked(token), since: token.shown ?? 0 })),
      value: page.flatMap((group) => (group.type === 'group' ? [entry(group, token)] : [])),
    };
  };

  const laterRound = (token: Token & { since: number }, size: number): object => {
    const { past: begin = token.since, ...round } = token;
    const found = store.changes.groupsBetween(begin, lastShown(), size + 1);
    const page = found.slice(0, size);
    const past = page.at(-1)?.seq ?? begin;
    return {
      ...(found.length > size ? link('nextLink', { ...round, past }) : link('deltaLink', { ...round, since: past })),
      value: page.map(({ id }) => changeOf(id, token)),
    };
  };

  app.get('/groups/delta', (c) => {
    need(c, groupReadAll);
    refuseOptions(c, ['$select', '$top', '$skiptoken', '$deltatoken']);
    const { $skiptoken, $deltatoken, $select, $top } = c.req.query();
    const carried = $skiptoken ?? ($deltatoken === 'latest' ? undefined : $deltatoken);
    const top = $top === undefined ? undefined : Number($top);
    if (top !== undefined && !(Number.isInteger(top) && top >= 1 && top <= 999)) {
      throw unsupportedQuery(`Invalid page size specified: '${$top}'. Must be between 1 and 999 inclusive.`);
    }
    const select = selected($select);
    const fresh: Token = { ...(select && { select }), ...(top !== undefined && { top }), shown: lastShown() };
    const token = carried === undefined ? fresh : read(carried);
    const size = token.top ?? store.settings().pageSize;
    const round =
      $deltatoken === 'latest'
        ? { ...link('deltaLink', { ...asked(fresh), since: fresh.shown ?? 0 }), value: [] }
        : token.since === undefined
          ? firstRound(token, size)
          : laterRound({ ...token, since: token.since }, size);
    return answerData(c, { '@odata.context': context(graph, 'groups', token.select), ...round });
  });

  return app;
}
