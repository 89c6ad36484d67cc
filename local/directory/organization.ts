import { Hono } from 'hono';
import { tenant } from '../demo-tenant';
import { need, organizationRead } from './access';
import type { GraphEnv } from './problems';
import { answerData, context } from './query';
import type { Graph } from './query';

/** `/organization` */
export function organization(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  app.get('/organization', (c) => {
    need(c, organizationRead);
    return answerData(c, {
      '@odata.context': context(graph, 'organization'),
      value: [
        {
          id: tenant.id,
          displayName: tenant.displayName,
          tenantType: 'AAD',
          verifiedDomains: [
            { name: tenant.domain, type: 'Managed', isDefault: true, isInitial: true, capabilities: 'Email' },
          ],
        },
      ],
    });
  });

  return app;
}
