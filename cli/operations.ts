// What the command line takes from the API's own description: for each operation, where it is and what may be given to it.
import operations from './operations.json';

/** How a value is written on the command line; `json` is JSON text, or `@` and the name of a file that holds it. */
export type Kind = 'text' | 'integer' | 'number' | 'boolean' | 'list' | 'json';

/** A parameter, or a field of the body. */
export interface Field {
  name: string;
  in: 'path' | 'query' | 'header' | 'body';
  kind: Kind;
  required: boolean;
  description?: string;
  /** The only values there are. */
  choices?: string[];
  default?: string | number | boolean;
}

export interface Operation {
  method: string;
  /** `/api/join-requests/{requestId}` */
  path: string;
  summary: string;
  /** Who may do it, in words. */
  rule: string;
  /** App roles that may do it, besides people where the rule names them; `null` where nobody need sign in. */
  roles: string[] | null;
  fields: Field[];
}

export type OperationId = keyof typeof operations;

/** The operation of this id, from `operations.json`; its test says when that is out of date. */
export const operationOf = (id: OperationId): Operation => (operations as Record<string, Operation>)[id] as Operation;

interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  default?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}

interface DescribedOperation {
  operationId: string;
  summary: string;
  description: string;
  security: { entra?: string[] }[];
  parameters: { name: string; in: Field['in']; required: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
}

/** The parts of the API's description that are read here. */
export interface ApiDocument {
  paths: Record<string, Record<string, DescribedOperation>>;
}

/** The operations of an API document by their id, as they stand in `operations.json`. */
export function operationsIn({ paths }: ApiDocument): Record<string, Operation> {
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => [
        described.operationId,
        {
          method: method.toUpperCase(),
          path,
          summary: described.summary,
          rule: described.description,
          roles: described.security[0]?.entra ?? null,
          fields: fieldsOf(described),
        },
      ]),
    ),
  );
}

function fieldsOf({ parameters, requestBody }: DescribedOperation): Field[] {
  const body = requestBody?.content['application/json'].schema;
  return [
    ...parameters.map(({ name, in: where, required, description, schema }) =>
      fieldOf(name, where, required, description === undefined ? schema : { ...schema, description }),
    ),
    ...Object.entries(body?.properties ?? {}).map(([name, schema]) =>
      fieldOf(name, 'body', body?.required?.includes(name) ?? false, schema),
    ),
  ];
}

function fieldOf(name: string, where: Field['in'], required: boolean, schema: Schema): Field {
  const choices = choicesOf(schema);
  const { description, default: given } = schema;
  const isPlain =
    typeof given === 'number' || typeof given === 'boolean' || (typeof given === 'string' && given !== '');
  return {
    name,
    in: where,
    kind: kindOf(schema),
    required,
    ...(description !== undefined && { description }),
    ...(choices !== undefined && { choices }),
    ...(isPlain && { default: given }),
  };
}

function kindOf({ type, const: only, enum: choices, anyOf, items }: Schema): Kind {
  if (anyOf !== undefined) {
    const kinds = new Set(anyOf.map(kindOf));
    const [kind = 'json'] = kinds;
    return kinds.size === 1 ? kind : 'json';
  }
  if (type === 'array') return items !== undefined && kindOf(items) === 'text' ? 'list' : 'json';
  if (type === 'integer' || type === 'number' || type === 'boolean') return type;
  const values = choices ?? (only === undefined ? [] : [only]);
  const isText = type === 'string' || (values.length > 0 && values.every((value) => typeof value === 'string'));
  return isText ? 'text' : 'json';
}

/** The values of an enumeration; undefined where other ones are allowed as well. */
function choicesOf({ enum: choices, const: only, anyOf, items }: Schema): string[] | undefined {
  if (anyOf !== undefined) {
    const each = anyOf.map(choicesOf);
    return each.every((one) => one !== undefined) ? each.flat() : undefined;
  }
  if (items !== undefined) return choicesOf(items);
  const values = choices ?? (only === undefined ? undefined : [only]);
  return values?.every((value) => typeof value === 'string') === true ? values : undefined;
}
