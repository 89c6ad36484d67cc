import { Hono } from 'hono';
import { z } from 'zod';
import { groupSettingsRead, need } from './access';
import { blockedWordsOf } from './naming-policy';
import type { NamingPolicy } from './naming-policy';
import { notFound } from './problems';
import type { GraphEnv } from './problems';
import { answerData, context, objectId, refuseOptions } from './query';
import type { Graph } from './query';
import type { Store } from './store';

/** The values of the template `Group.Unified`, with the defaults that count in a tenant without settings. */
const unified: readonly { name: string; type: string; defaultValue: string; description: string }[] = [
  {
    name: 'NewUnifiedGroupWritebackDefault',
    type: 'System.Boolean',
    defaultValue: 'true',
    description: 'Flag indicating the default of writeback for new groups.',
  },
  {
    name: 'EnableMIPLabels',
    type: 'System.Boolean',
    defaultValue: 'false',
    description: 'Flag indicating whether sensitivity labels can be assigned to groups.',
  },
  {
    name: 'CustomBlockedWordsList',
    type: 'System.String',
    defaultValue: '',
    description: 'A comma-delimited list of blocked words for Unified Group displayName and mailNickName.',
  },
  {
    name: 'EnableMSStandardBlockedWords',
    type: 'System.Boolean',
    defaultValue: 'false',
    description:
      'A flag indicating whether or not to enable the Microsoft Standard list of blocked words for Unified Group displayName and mailNickName.',
  },
  {
    name: 'ClassificationDescriptions',
    type: 'System.String',
    defaultValue: '',
    description:
      'A comma-delimited list of structured strings describing the classification values in the ClassificationList.',
  },
  {
    name: 'DefaultClassification',
    type: 'System.String',
    defaultValue: '',
    description: 'The classification value to be used by default for Unified Group creation.',
  },
  {
    name: 'PrefixSuffixNamingRequirement',
    type: 'System.String',
    defaultValue: '',
    description:
      'A structured string describing how a Unified Group displayName and mailNickname should be structured.',
  },
  {
    name: 'AllowGuestsToBeGroupOwner',
    type: 'System.Boolean',
    defaultValue: 'false',
    description: 'Flag indicating if guests are allowed to be owner in any Unified Group.',
  },
  {
    name: 'AllowGuestsToAccessGroups',
    type: 'System.Boolean',
    defaultValue: 'true',
    description: 'Flag indicating if guests are allowed to access any Unified Group resources.',
  },
  {
    name: 'GuestUsageGuidelinesUrl',
    type: 'System.String',
    defaultValue: '',
    description: 'A link to the Group Usage Guidelines for guests.',
  },
  {
    name: 'GroupCreationAllowedGroupId',
    type: 'System.Guid',
    defaultValue: '',
    description: 'Guid of the security group that is always allowed to create Unified Groups.',
  },
  {
    name: 'AllowToAddGuests',
    type: 'System.Boolean',
    defaultValue: 'true',
    description: 'Flag indicating if guests are allowed in any Unified Group.',
  },
  {
    name: 'UsageGuidelinesUrl',
    type: 'System.String',
    defaultValue: '',
    description: 'A link to the Group Usage Guidelines.',
  },
  {
    name: 'ClassificationList',
    type: 'System.String',
    defaultValue: '',
    description: 'A comma-delimited list of valid classification values that can be applied to Unified Groups.',
  },
  {
    name: 'EnableGroupCreation',
    type: 'System.Boolean',
    defaultValue: 'true',
    description: 'Flag indicating if group creation feature is on.',
  },
];

const TEMPLATE = {
  id: '62375ab9-6b52-47ed-826b-58e47e0e304b',
  deletedDateTime: null,
  displayName: 'Group.Unified',
  description:
    'Setting templates define the different settings that can be used for the associated ObjectSettings. This template defines settings that can be used for Unified Groups.',
  values: unified,
};
/** The settings' own id, the same in every local directory. */
const SETTINGS_ID = 'd0000000-0000-4000-8000-000000000001';
const POLICY = 'Group.Unified';

/** Values of `Group.Unified` by name; the names are the template's. */
export const groupSettingsSchema = z.partialRecord(z.enum(unified.map(({ name }) => name)), z.string().max(300_000));

/** Makes the tenant's `Group.Unified` settings, those not given at their defaults; `null` takes them away. */
export function setGroupSettings(store: Store, values: z.output<typeof groupSettingsSchema> | null): void {
  store.setPolicy(POLICY, values ?? undefined);
}

const kept = (store: Store): Record<string, string | undefined> | undefined =>
  groupSettingsSchema.optional().parse(store.policy(POLICY));

/** The naming policy in force; a tenant without settings asks for nothing. */
export function namingPolicy(store: Store): NamingPolicy {
  const values = kept(store);
  return {
    requirement: values?.['PrefixSuffixNamingRequirement'] ?? '',
    blockedWords: blockedWordsOf(values?.['CustomBlockedWordsList'] ?? ''),
  };
}

/**
 * `GET /groupSettings`, `/groupSettings/{id}`, `/groupSettingTemplates`, `/groupSettingTemplates/{id}`: the tenant's
 * `Group.Unified` settings, which `setGroupSettings` of the admin API makes. A tenant without them answers an empty list.
 */
export function groupSettings(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  const settings = () => {
    const values = kept(graph.store);
    if (values === undefined) return [];
    return [
      {
        id: SETTINGS_ID,
        displayName: TEMPLATE.displayName,
        templateId: TEMPLATE.id,
        values: unified.map(({ name, defaultValue }) => ({ name, value: values[name] ?? defaultValue })),
      },
    ];
  };

  app.get('/groupSettings', (c) => {
    need(c, groupSettingsRead);
    refuseOptions(c, []);
    return answerData(c, { '@odata.context': context(graph, 'groupSettings'), value: settings() });
  });
  app.get('/groupSettings/:id', (c) => {
    need(c, groupSettingsRead);
    const id = objectId(c.req.param('id'));
    const found = settings().find((each) => each.id === id);
    if (found === undefined) throw notFound(id);
    return answerData(c, { '@odata.context': context(graph, 'groupSettings', undefined, true), ...found });
  });

  app.get('/groupSettingTemplates', (c) => {
    need(c, groupSettingsRead);
    refuseOptions(c, []);
    return answerData(c, { '@odata.context': context(graph, 'groupSettingTemplates'), value: [TEMPLATE] });
  });
  app.get('/groupSettingTemplates/:id', (c) => {
    need(c, groupSettingsRead);
    const id = objectId(c.req.param('id'));
    if (id !== TEMPLATE.id) throw notFound(id);
    return answerData(c, { '@odata.context': context(graph, 'groupSettingTemplates', undefined, true), ...TEMPLATE });
  });

  return app;
}
