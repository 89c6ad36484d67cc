import { z } from 'zod';

import { door, json } from './door';
import type { Described, Door } from './door';

const problemSchema = z.object({
  type: z.url(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  correlationId: z.string(),
});

type Json = Record<string, unknown>;

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

function parametersOf(row: Door, api: Described): Json[] {
  const inPath = Object.keys((schemaOf(row.params, 'input')['properties'] ?? {}) as Json)
    .filter((name) => row.route.includes(`{${name}}`))
    .map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const query = api.query === undefined ? {} : ((schemaOf(api.query, 'input')['properties'] ?? {}) as Json);
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
  const inHeader = Object.entries(api.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function operationOf(row: Door, api: Described): Json {
  const answers = Object.entries(api.answers).map(([status, { description, body }]) => [
    status,
    {
      description,
      ...(body !== undefined && { content: { 'application/json': { schema: schemaOf(body, 'output') } } }),
    },
  ]);
  return {
    operationId: row.name,
    summary: api.summary,
    description: row.rule,
    ...(row.admits === 'anyone' ? { security: [] } : { security: [{ entra: row.admits.roles }] }),
    parameters: parametersOf(row, api),
    ...(api.body !== undefined && {
      requestBody: {
        required: !api.body.safeParse(undefined).success,
        content: { 'application/json': { schema: schemaOf(api.body, 'input') } },
      },
    }),
    responses: {
      ...Object.fromEntries(answers),
      default: {
        description: 'What went wrong, as problem details (RFC 9457).',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** OpenAPI 3.1 of the doors that have a description, made from the schemas that validate. */
export function describeApi(doors: readonly Door[], base: string): Json {
  const paths: Record<string, Json> = {};
  for (const row of doors) {
    if (row.api === undefined) continue;
    const path = `/api/${row.route}`;
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operationOf(row, row.api) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version: '1',
      description: 'Ask for membership in Microsoft Entra ID groups; their owners decide.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: base }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        entra: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Microsoft Entra access token for this API. The names are app roles.',
        },
      },
    },
  };
}

export function apiDocument(doors: readonly Door[]): Door {
  return door({
    name: 'apiDocument',
    method: 'GET',
    route: 'openapi.json',
    admits: 'anyone',
    rule: 'The description of the API holds no data.',
    params: z.record(z.string(), z.string()),
    handle: ({ services }) => Promise.resolve(json(200, describeApi(doors, services.config.PUBLIC_BASE_URL))),
  });
}
