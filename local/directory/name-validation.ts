import { Hono } from 'hono';
import { z } from 'zod';
import { groupReadAll, need } from './access';
import { groupOf } from './group-lookup';
import { namingPolicy } from './group-settings';
import { isNicknameTaken } from './group-writes';
import { isMailNickname, namingViolations } from './naming-policy';
import type { Names, NamingViolation } from './naming-policy';
import { badProperty, badRequest, GraphProblem, notFound } from './problems';
import type { GraphCall, GraphEnv, ProblemDetail } from './problems';
import type { UserProperties } from './properties';
import { bodyOf, objectId } from './query';
import type { Graph } from './query';

const namesSchema = z.object({
  entityType: z.string().optional(),
  displayName: z.string().nullish(),
  mailNickname: z.string().nullish(),
  onBehalfOfUserId: z.string().nullish(),
});

function detailOf(violation: NamingViolation): ProblemDetail {
  const { target, code } = violation;
  if (violation.code === 'MissingPrefixSuffix') {
    const message = `Property ${target} is missing a required prefix/suffix per your organization's Group naming requirements.`;
    return { target, code, message, prefix: violation.prefix, suffix: violation.suffix };
  }
  return {
    target,
    code,
    message: `Property ${target} contains a word blocked per your organization's Group naming requirements.`,
  };
}

const unprocessable = (details: readonly ProblemDetail[]): GraphProblem =>
  new GraphProblem(
    422,
    'Request_UnprocessableEntity',
    'The values provided contain one or more validation errors.',
    {},
    details,
  );

/**
 * `POST /directoryObjects/validateProperties` and `POST /groups/{id}/validateProperties`: 204, or 422 with every missing
 * prefix and suffix, or with the first of a blocked word and a mail nickname that another group has. The policy's
 * attributes are those of `onBehalfOfUserId`.
 */
export function nameValidation(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  const userOf = (id: string | null | undefined): UserProperties | undefined => {
    if (id === null || id === undefined) return undefined;
    const user = graph.store.findUser(objectId(id));
    if (user === undefined) throw notFound(id);
    return user.properties;
  };

  const validate = (c: GraphCall, body: z.output<typeof namesSchema>, groupId: string | undefined): Response => {
    const displayName = body.displayName ?? undefined;
    const mailNickname = body.mailNickname ?? undefined;
    if (displayName === undefined && mailNickname === undefined) {
      throw badRequest('At least one of the properties displayName and mailNickname is required.');
    }
    const wrong = displayName !== undefined && (displayName.trim() === '' || displayName.length > 256);
    const wrongAlias = mailNickname !== undefined && !isMailNickname(mailNickname);
    if (wrong || wrongAlias) {
      const name = wrong ? 'displayName' : 'mailNickname';
      throw badProperty(name, 'InvalidValue', `Invalid value specified for property '${name}' of resource 'Group'.`);
    }
    const names: Names = {
      ...(displayName !== undefined && { displayName }),
      ...(mailNickname !== undefined && { mailNickname }),
    };
    const found = namingViolations(namingPolicy(graph.store), names, userOf(body.onBehalfOfUserId));
    if (found.length > 0) throw unprocessable(found.map(detailOf));
    if (mailNickname !== undefined && isNicknameTaken(graph, mailNickname, groupId)) {
      throw unprocessable([
        {
          target: 'mailNickname',
          code: 'PropertyConflict',
          message: 'Another object with the same value for property mailNickname already exists.',
        },
      ]);
    }
    return c.body(null, 204);
  };

  app.post('/directoryObjects/validateProperties', async (c) => {
    need(c, groupReadAll);
    const body = await bodyOf(c, namesSchema);
    if (body.entityType !== 'Group') throw badRequest(`Invalid value specified for parameter 'entityType'.`);
    return validate(c, body, undefined);
  });
  app.post('/groups/:id/validateProperties', async (c) => {
    need(c, groupReadAll);
    const body = await bodyOf(c, namesSchema);
    return validate(c, body, groupOf(graph, c.req.param('id')).properties.id);
  });

  return app;
}
