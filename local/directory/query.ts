import { z } from 'zod';
import { readable } from './access';
import { parseFilter, parseSearch } from './filter';
import type { Filter } from './filter';
import { badRequest, GraphProblem, notImplemented, unsupportedQuery } from './problems';
import type { GraphCall } from './problems';
import { isProperty, project } from './properties';
import type { DirectoryObject, ObjectType } from './properties';
import { joined } from './store';
import type { Cursor, Listing, Order, Sql, Store, View } from './store';

/** What the resources share. */
export interface Graph {
  store: Store;
  /** Origin under which the service is reached, for contexts and next links. */
  base: () => string;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id in lower case; 400 as Graph's for one that is no GUID. */
export function objectId(text: string): string {
  if (!GUID.test(text)) throw badRequest(`Invalid object identifier '${text}'.`);
  return text.toLowerCase();
}

export const isGuid = (text: string): boolean => GUID.test(text);

/** 501 for a query option that the call does not take. */
export function refuseOptions(c: GraphCall, known: readonly string[]): void {
  for (const name of Object.keys(c.req.query())) {
    if (name.startsWith('$') && !known.includes(name))
      throw notImplemented(`the query option ${name} on ${c.req.path}`);
  }
}

/** `$select`, each name of which must be a property of one of the types. */
export function selectOf(c: GraphCall, types: readonly ObjectType[]): string[] | undefined {
  const text = c.req.query('$select');
  if (text === undefined || text.trim() === '') return undefined;
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (isProperty(types, name)) continue;
    const type = types.length === 1 ? types[0] : 'directoryObject';
    throw new GraphProblem(
      400,
      'BadRequest',
      `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.${type}'.`,
    );
  }
  return names;
}

/** `$select` of a call that answers one object and takes no other option. */
export function entitySelect(c: GraphCall, types: readonly ObjectType[]): string[] | undefined {
  refuseOptions(c, ['$select']);
  return selectOf(c, types);
}

/** Whether the caller asks for an advanced query's consistency. */
export const eventual = (c: GraphCall): boolean => c.req.header('consistencylevel')?.toLowerCase() === 'eventual';

/** What a call asks of a collection. */
export interface CollectionQuery {
  select: string[] | undefined;
  filter: Filter | undefined;
  search: Sql | undefined;
  order: Order;
  top: number | undefined;
  after: Cursor | undefined;
  /** Whether to tell how many there are: asked for, and an advanced query. */
  count: boolean;
}

const cursorSchema = z.strictObject({ id: z.string(), displayName: z.string() });

function cursorOf(token: string | undefined): Cursor | undefined {
  if (token === undefined) return undefined;
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw new GraphProblem(
      400,
      'Directory_ExpiredPageToken',
      'The specified page token value has expired and can no longer be included in your request.',
    );
  }
}

function topOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const top = Number(text);
  if (Number.isInteger(top) && top >= 1 && top <= 999) return top;
  throw unsupportedQuery(`Invalid page size specified: '${text}'. Must be between 1 and 999 inclusive.`);
}

function orderOf(text: string | undefined, allowed: boolean): Order {
  if (text === undefined) return 'id';
  const [, direction] = /^\s*displayName(?:\s+(asc|desc))?\s*$/.exec(text) ?? [null, null];
  if (direction === null || !allowed) throw unsupportedQuery('Sorting not supported for current query.');
  return direction === 'desc' ? 'displayName desc' : 'displayName asc';
}

function filterOf(
  c: GraphCall,
  types: readonly ObjectType[],
  reference: boolean,
  advanced: boolean,
): Filter | undefined {
  const text = c.req.query('$filter');
  if (text === undefined) return undefined;
  if (reference && !advanced) {
    throw unsupportedQuery('The specified filter to the reference property query is currently not supported.');
  }
  const filter = parseFilter(text, types);
  if (filter.advanced !== undefined && !advanced) {
    throw unsupportedQuery(
      `Operator '${filter.advanced}' is not supported because the 'ConsistencyLevel:eventual' header is missing. Refer to https://aka.ms/graph-docs/advanced-queries for more information`,
    );
  }
  return filter;
}

function searchOf(c: GraphCall): Sql | undefined {
  const text = c.req.query('$search');
  if (text === undefined) return undefined;
  if (!eventual(c)) {
    throw unsupportedQuery(
      "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
    );
  }
  return parseSearch(text);
}

/** Reads and checks the options of a collection; `reference`: of one that hangs on an object, like a group's members. */
export function collectionQuery(c: GraphCall, types: readonly ObjectType[], reference = false): CollectionQuery {
  refuseOptions(c, ['$select', '$filter', '$search', '$orderby', '$top', '$skiptoken', '$count']);
  const counted = c.req.query('$count') === 'true';
  const advanced = counted && eventual(c);
  const filter = filterOf(c, types, reference, advanced);
  const plain = filter === undefined && !reference;
  return {
    select: selectOf(c, types),
    filter,
    search: searchOf(c),
    order: orderOf(c.req.query('$orderby'), plain || advanced),
    top: topOf(c.req.query('$top')),
    after: cursorOf(c.req.query('$skiptoken')),
    count: advanced,
  };
}

/** An object with those of its properties that the caller may read; the rest are null. */
export function visible(
  c: GraphCall,
  object: DirectoryObject,
  select: readonly string[] | undefined,
): Record<string, unknown> {
  const canRead = readable(c, object.type);
  return Object.fromEntries(
    Object.entries(project(object, select)).map(([name, value]) => [name, canRead(name) ? value : null]),
  );
}

const typed = (object: DirectoryObject): { '@odata.type': string } => ({
  '@odata.type': `#microsoft.graph.${object.type}`,
});

/** An element of a collection of mixed types. */
export const withType = (c: GraphCall, object: DirectoryObject, select: string[] | undefined) => ({
  ...typed(object),
  ...visible(c, object, select),
});

/** `@odata.context` of an answer. */
export function context(graph: Graph, set: string, select?: readonly string[], entity = false): string {
  const selection = select === undefined ? '' : `(${select.join(',')})`;
  return `${graph.base()}/v1.0/$metadata#${set}${selection}${entity ? '/$entity' : ''}`;
}

/** Answers JSON with the content type that Graph gives to data. */
export function answerData(c: GraphCall, body: object, status: 200 | 201 = 200): Response {
  return c.body(JSON.stringify(body), status, {
    'content-type':
      'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
  });
}

/** An answer's text/plain number, for `/$count`. */
export const answerCount = (c: GraphCall, count: number): Response =>
  c.body(String(count), 200, { 'content-type': 'text/plain' });

function nextLink(c: GraphCall, graph: Graph, last: DirectoryObject): string {
  const url = new URL(c.req.url);
  const cursor: Cursor = { id: last.properties.id.toLowerCase(), displayName: last.properties.displayName };
  const token = Buffer.from(JSON.stringify(cursor)).toString('base64url');
  const options = [...url.searchParams]
    .filter(([name]) => name !== '$skiptoken')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${graph.base()}${url.pathname}?${[...options, `$skiptoken=${token}`].join('&')}`;
}

/** One page of a collection; `typed`: with the type of each object although all have the same. */
export function answerCollection(
  c: GraphCall,
  graph: Graph,
  query: CollectionQuery,
  set: string,
  { typed: always = false, ...listing }: Pick<Listing, 'types' | 'within'> & { view?: View; typed?: boolean },
): Response {
  const size = query.top ?? graph.store.settings().pageSize;
  const where = [query.filter?.sql, query.search].filter((part) => part !== undefined);
  const all: Omit<Listing, 'limit'> = {
    view: 'read',
    ...listing,
    ...(where.length > 0 && { where: joined(where.map(({ text, params }) => ({ text: `(${text})`, params }))) }),
  };
  const found = graph.store.list({
    ...all,
    order: query.order,
    ...(query.after !== undefined && { after: query.after }),
    limit: size + 1,
  });
  const page = found.slice(0, size);
  const last = page.at(-1);
  const mixed = always || listing.types.length > 1;
  return answerData(c, {
    '@odata.context': context(graph, set, query.select),
    ...(query.count && { '@odata.count': graph.store.count(all) }),
    ...(found.length > size && last !== undefined && { '@odata.nextLink': nextLink(c, graph, last) }),
    value: page.map((object) => (mixed ? withType(c, object, query.select) : visible(c, object, query.select))),
  });
}

/** The request's body in the form of `schema`; 400 as Graph's otherwise. */
export async function bodyOf<T extends z.ZodType>(c: GraphCall, schema: T): Promise<z.output<T>> {
  let json: unknown;
  try {
    json = await c.req.json();
  } catch {
    throw new GraphProblem(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw badRequest(z.prettifyError(parsed.error));
  return parsed.data;
}
