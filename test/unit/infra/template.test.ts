import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readConfig, settingNames } from '../../../shared/config';
import { connectTables } from '../../../shared/records/tables';

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Fields = Record<string, Json>;
interface Resource {
  type: string;
  name: string;
  id?: string;
  existing?: boolean;
  location?: string;
  tags?: Fields;
  properties: Fields;
}
interface Template {
  parameters: Record<string, Fields>;
  outputs?: Fields;
  resources: Record<string, Resource> | Resource[];
}

const read = (path: string): string => readFileSync(join(__dirname, '../../..', path), 'utf8');

/** What stands at a path of names, or undefined. */
function at(value: Json | undefined, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (part, name) => (part !== null && typeof part === 'object' && !Array.isArray(part) ? part[name] : undefined),
      value,
    );
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** Puts a value at a path of names that exists already. */
function put(value: Json, path: string, replacement: Json): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.length === 0 ? value : at(value, names.join('.'));
  if (holder === null || typeof holder !== 'object' || Array.isArray(holder)) throw new Error(`nothing at ${path}`);
  holder[last] = replacement;
}

/** Every template in the template: itself and its modules. */
function* templates(template: Template): Iterable<Template> {
  yield template;
  for (const { type, properties } of Object.values(template.resources))
    if (type === 'Microsoft.Resources/deployments') yield* templates(properties['template'] as unknown as Template);
}

/** Every resource that the template can make, whatever the parameters. */
const resourcesOf = (template: Template): Resource[] =>
  [...templates(template)]
    .flatMap(({ resources }) => Object.values(resources))
    .filter(({ type, existing }) => existing !== true && type !== 'Microsoft.Resources/deployments');

/** The compiled template: a literal in it holds for every deployment. */
const template = (): Template => JSON.parse(read('infra/main.json')) as Template;

/** What a deployment with certain parameters makes, as the compiler predicts it. */
const predicted = (name: string): Resource[] =>
  (JSON.parse(read(`infra/snapshots/${name}.snapshot.json`)) as { predictedResources: Resource[] }).predictedResources;

const environments = ['main.dev', 'main.prod', 'everything'];
const ofType = (resources: Resource[], type: string): Resource[] => resources.filter((each) => each.type === type);
const properties = (resource: Resource | undefined): Fields => resource?.properties ?? {};
const appSettings = (resources: Resource[]): Fields =>
  properties(resources.find(({ name }) => name.endsWith('/appsettings')));

/** Properties that every resource of a type must have, with the only values they may have. */
const literals: [type: string, path: string, allowed: Json[], broken: Json][] = [
  ['Microsoft.Storage/storageAccounts', 'allowSharedKeyAccess', [false], true],
  ['Microsoft.Storage/storageAccounts', 'allowBlobPublicAccess', [false], true],
  ['Microsoft.Storage/storageAccounts', 'allowCrossTenantReplication', [false], true],
  ['Microsoft.Storage/storageAccounts', 'supportsHttpsTrafficOnly', [true], false],
  ['Microsoft.Storage/storageAccounts', 'minimumTlsVersion', ['TLS1_2', 'TLS1_3'], 'TLS1_0'],
  ['Microsoft.Storage/storageAccounts/blobServices/containers', 'publicAccess', ['None'], 'Blob'],
  ['Microsoft.Web/sites', 'httpsOnly', [true], false],
  ['Microsoft.Web/sites', 'siteConfig.minTlsVersion', ['1.2', '1.3'], '1.0'],
  ['Microsoft.Web/sites', 'siteConfig.scmMinTlsVersion', ['1.2', '1.3'], '1.0'],
  ['Microsoft.Web/sites', 'siteConfig.ftpsState', ['Disabled'], 'AllAllowed'],
  [
    'Microsoft.Web/sites',
    'functionAppConfig.deployment.storage.authentication.type',
    ['UserAssignedIdentity'],
    'StorageAccountConnectionString',
  ],
  ['Microsoft.Web/sites/basicPublishingCredentialsPolicies', 'allow', [false], true],
  ['Microsoft.Communication/communicationServices', 'disableLocalAuth', [true], false],
  ['Microsoft.Communication/emailServices/domains', 'userEngagementTracking', ['Disabled'], 'Enabled'],
  ['Microsoft.Insights/components', 'DisableLocalAuth', [true], false],
  ['Microsoft.OperationalInsights/workspaces', 'features.disableLocalAuth', [true], false],
  ['Microsoft.KeyVault/vaults', 'enableRbacAuthorization', [true], false],
  ['Microsoft.KeyVault/vaults', 'enablePurgeProtection', [true], false],
];

const violations = (resources: Resource[], [type, path, allowed]: [string, string, Json[]]): (Json | undefined)[] =>
  ofType(resources, type)
    .map((resource) => at(resource.properties, path))
    .filter((value) => !allowed.includes(value ?? null));

describe('whatever the parameters', () => {
  it.each(literals)('%s: %s', (type, path, allowed, broken) => {
    const resources = resourcesOf(template());
    expect(ofType(resources, type)).not.toHaveLength(0);
    expect(violations(resources, [type, path, allowed])).toEqual([]);

    for (const resource of ofType(resources, type)) {
      const before = at(resource.properties, path) ?? null;
      put(resource.properties, path, broken);
      expect(violations(resources, [type, path, allowed])).toEqual([broken]);
      put(resource.properties, path, before);
    }
  });

  it('turns off both ways to publish with a password', () => {
    const policies = ofType(resourcesOf(template()), 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    expect(policies.map(({ name }) => /'(ftp|scm)'/.exec(name)?.[1]).sort()).toEqual(['ftp', 'scm']);
  });

  const secretsIn = (json: string): string[] =>
    // names a component and its region; nothing can be written with it while the component's local authentication is off
    json
      .replace("'APPLICATIONINSIGHTS_CONNECTION_STRING', reference('insights').ConnectionString", '')
      .match(
        /\blist[A-Z]\w*\(|ConnectionString\b(?!Name)|InstrumentationKey|AccountKey|SharedAccess|securestring|secureobject|password|getSecret|DefaultEndpointsProtocol/gi,
      ) ?? [];

  it('reads no key and holds no secret', () => {
    const json = JSON.stringify(template(), null, 1);
    expect(secretsIn(json)).toEqual([]);
    for (const leak of [
      `"x": "[listKeys('account', '2026-06-01').keys[0].value]"`,
      `"x": "[reference('insights').ConnectionString]"`,
      `"type": "securestring"`,
    ])
      expect(secretsIn(json + leak)).toHaveLength(1);
  });

  it('gives out names, addresses and ids only', () => {
    const names = [...templates(template())].flatMap(({ outputs = {} }) => Object.keys(outputs)).sort();
    expect(new Set(names)).toEqual(
      new Set(
        `actionGroupId appClientId appId appPrincipalId appSubnetId blobEndpoint encryptionId encryptionPrincipalId endpoint
         endpointSubnetId eventsId eventsPrincipalId federatedCredentialIssuer functionAppHostName functionAppName hostName id
         identityPrincipalId insightsId keyName mailDomainRecords mailSender name networkId queueEndpoint sender
         signInRedirectUri tableEndpoint topicId uri verificationRecords workspaceId`.split(/\s+/),
      ),
    );
  });

  it('describes every parameter, bounds every number, and the README names each', () => {
    const readme = read('infra/README.md');
    const { parameters } = template();
    for (const [name, { type, metadata, minValue, $ref }] of Object.entries(parameters)) {
      if ($ref === undefined) expect([name, at(metadata, 'description')]).toEqual([name, expect.any(String)]);
      if (type === 'int' && parameters[name]?.['allowedValues'] === undefined)
        expect([name, minValue]).toEqual([name, expect.any(Number)]);
      expect(readme).toContain(`\`${name}\``);
    }
  });

  it('lets anonymous requests through to the doors of the app, and signs people in without a secret', () => {
    const authentication = properties(
      resourcesOf(template()).find(
        ({ type, name }) => type === 'Microsoft.Web/sites/config' && name.includes('authsettingsV2'),
      ),
    );
    expect(at(authentication, 'platform.enabled')).toBe(true);
    expect(at(authentication, 'globalValidation')).toMatchObject({
      requireAuthentication: false,
      unauthenticatedClientAction: 'AllowAnonymous',
    });
    expect(at(authentication, 'httpSettings.requireHttps')).toBe(true);
    expect(Object.keys(at(authentication, 'identityProviders') as Fields)).toEqual(['azureActiveDirectory']);
    expect(at(authentication, 'identityProviders.azureActiveDirectory.registration.clientSecretSettingName')).toBe(
      'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID',
    );
    expect(at(authentication, 'login.tokenStore.enabled')).toBe(false);
    expect(at(authentication, 'login.allowedExternalRedirectUrls')).toEqual([]);
    expect(at(authentication, 'login.nonce.validateNonce')).toBe(true);
  });
});

/** Settings that the app doesn't read itself. */
const hostSettings = [
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID',
  'TASKHUB_NAME',
  'WEBSITE_AUTH_AAD_ALLOWED_TENANTS',
];
const schedulerSettings = [
  'AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName',
  'AzureFunctionsJobHost__extensions__durableTask__storageProvider__type',
  'DURABLE_TASK_SCHEDULER',
];
/** Set by App Service itself where Authentication is on. */
const platformSettings = ['WEBSITE_AUTH_ENABLED'];

describe.each(environments)('the settings of %s', (environment) => {
  const settings = appSettings(predicted(environment));

  it('are those that app and host know, and no other', () => {
    const expected = [
      ...settingNames.filter((name) => !platformSettings.includes(name)),
      ...hostSettings,
      ...(environment === 'everything' ? schedulerSettings : []),
    ];
    expect(Object.keys(settings).sort()).toEqual(expected.sort());
  });

  it('are accepted by the app', () => {
    /** What Azure puts in the place of an expression. */
    const answers: Record<string, string> = {
      AUTHORITY_HOST: 'https://login.microsoftonline.com/',
      AZURE_CLIENT_ID: '11111111-1111-4111-8111-111111111112',
      TABLES_ENDPOINT: 'https://stgatedata.table.core.windows.net/',
      AUDIT_TABLES_ENDPOINT: 'https://stgateaudit.table.core.windows.net/',
      MAIL_ENDPOINT: 'https://acs-gatehouse.europe.communication.azure.com',
      MAIL_SENDER: 'DoNotReply@11111111-1111-4111-8111-111111111113.azurecomm.net',
      PUBLIC_BASE_URL: 'https://func-gatehouse.azurewebsites.net',
    };
    const environmentOfApp = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        name,
        text(value).startsWith('[') ? answers[name] : text(value),
      ]),
    );
    expect(() => readConfig(environmentOfApp)).not.toThrow();
    expect(() => readConfig({ ...environmentOfApp, MAIL_ENDPOINT: undefined })).toThrow('MAIL_ENDPOINT');
  });

  it('name the task hub that host.json asks for, and storage by identity', () => {
    const { extensions } = JSON.parse(read('host.json')) as { extensions: Json };
    const hub = /^%(\w+)%$/.exec(text(at(extensions, 'durableTask.hubName')))?.[1] ?? '';
    expect(settings[hub]).toMatch(/^[A-Za-z][A-Za-z0-9]{2,44}$/);
    expect(settings['AzureWebJobsStorage']).toBeUndefined();
    expect(settings['AzureWebJobsStorage__credential']).toBe('managedidentity');
  });
});

it('a mail domain from Azure gets its own low quota', () => {
  const quota = (environment: string): Json[] => {
    const { MAIL_PER_MINUTE = null, MAIL_PER_HOUR = null } = appSettings(predicted(environment));
    return [MAIL_PER_MINUTE, MAIL_PER_HOUR];
  };
  expect(quota('main.dev')).toEqual(['5', '10']);
  expect(quota('main.prod')).toEqual(['30', '100']);
});

const roleNames: Record<string, string> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  '09976791-48a7-449e-bb21-39d1a415f350': 'Communication and Email Service Owner',
  '0ad04412-c4d5-4796-b79c-f76d14c8d402': 'Durable Task Data Contributor',
  'e147488a-f6f5-4113-8e2d-b22465e65bf6': 'Key Vault Crypto Service Encryption User',
};

/** Who may do what, where, and why: nothing else is granted. */
const roles: [who: string, role: string, scope: string, why: string, only?: (environment: string) => boolean][] = [
  ['app', 'Storage Blob Data Owner', 'data account', 'the host asks for it: package, leases, timer locks'],
  ['app', 'Storage Queue Data Contributor', 'data account', 'queues of the task hub, which Durable Functions makes'],
  ['app', 'Storage Table Data Contributor', 'data account', 'the tables of app and task hub'],
  ['app', 'Gatehouse audit writer', 'table audit of the audit account', 'adds copies, changes and deletes none'],
  ['app', 'Monitoring Metrics Publisher', 'Application Insights', 'telemetry without a key'],
  ['app', 'Gatehouse mail sender', 'Communication Services', 'sends mail', (each) => each !== 'everything'],
  [
    'app',
    'Communication and Email Service Owner',
    'Communication Services',
    'the built-in role, where one asks for it',
    (each) => each === 'everything',
  ],
  ['app', 'Durable Task Data Contributor', 'scheduler', 'the task hub there', (each) => each === 'everything'],
  [
    'events',
    'Storage Blob Data Contributor',
    'container undelivered-mail-reports of the data account',
    'reports that the app did not take',
    (each) => each === 'everything',
  ],
  [
    'encryption',
    'Key Vault Crypto Service Encryption User',
    'key of the vault',
    'storage uses its key',
    (each) => each === 'everything',
  ],
];

const scopes: [RegExp, string][] = [
  [/\/storageAccounts\/stgatedata\w{13}$/, 'data account'],
  [
    /\/storageAccounts\/stgatedata\w{13}\/blobServices\/default\/containers\/undelivered-mail-reports$/,
    'container undelivered-mail-reports of the data account',
  ],
  [/\/storageAccounts\/stgateaudit\w{13}\/tableServices\/default\/tables\/audit$/, 'table audit of the audit account'],
  [/\/Microsoft\.Insights\/components\/[\w-]+$/, 'Application Insights'],
  [/\/communicationServices\/[\w-]+$/, 'Communication Services'],
  [/\/schedulers\/[\w-]+$/, 'scheduler'],
  [/\/vaults\/[\w-]+\/keys\/storage$/, 'key of the vault'],
];

function grants(resources: Resource[]): string[] {
  const custom = Object.fromEntries(
    ofType(resources, 'Microsoft.Authorization/roleDefinitions').map((role) => [
      role.name,
      text(role.properties['roleName']).replace(/ \(.*\)$/, ''),
    ]),
  );
  return ofType(resources, 'Microsoft.Authorization/roleAssignments')
    .map(({ id = '', properties: { roleDefinitionId, principalId } }) => {
      const scope = id.slice(0, id.indexOf('/providers/Microsoft.Authorization/roleAssignments/'));
      const role = text(roleDefinitionId).split('/').pop() ?? '';
      const who = /outputs\.(\w+)PrincipalId\.value/.exec(text(principalId))?.[1] ?? text(principalId);
      const where = scopes.find(([pattern]) => pattern.test(scope))?.[1] ?? scope;
      return `${who}: ${roleNames[role] ?? custom[role] ?? role} on ${where}`;
    })
    .sort();
}

it('no role is assigned under a parameter that the predicted deployments leave out', () => {
  const assignments = ofType(resourcesOf(template()), 'Microsoft.Authorization/roleAssignments');
  // one assignment sends mail, under either of two roles
  expect(assignments).toHaveLength(roles.length - 1);
});

describe.each(environments)('the roles of %s', (environment) => {
  it('are exactly those of the list, at the narrowest scope', () => {
    const expected = roles
      .filter(([, , , , only = () => true]) => only(environment))
      .map(([who, role, scope]) => `${who}: ${role} on ${scope}`);
    const resources = predicted(environment);
    expect(grants(resources)).toEqual(expected.sort());

    const wide = ofType(resources, 'Microsoft.Authorization/roleAssignments')[0]!;
    wide.id = `/subscriptions/x/resourceGroups/rg-gatehouse/providers/Microsoft.Authorization/roleAssignments/${wide.name}`;
    expect(grants(resources)).not.toEqual(expected.sort());
  });

  it('made here allow nothing but what they are for', () => {
    const allowed = ofType(predicted(environment), 'Microsoft.Authorization/roleDefinitions').map(
      ({ properties: { permissions, assignableScopes } }) => ({ permissions, assignableScopes }),
    );
    const assignableScopes = [expect.stringMatching(/\/resourceGroups\/rg-gatehouse$/)];
    const auditWriter = {
      assignableScopes,
      permissions: [
        {
          dataActions: [
            'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action',
            'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read',
          ],
        },
      ],
    };
    const mailSender = {
      assignableScopes,
      permissions: [
        {
          actions: [
            'Microsoft.Communication/CommunicationServices/read',
            'Microsoft.Communication/CommunicationServices/write',
            'Microsoft.Communication/EmailServices/read',
            'Microsoft.Communication/EmailServices/write',
          ],
        },
      ],
    };
    expect(allowed).toEqual(environment === 'everything' ? [auditWriter] : [auditWriter, mailSender]);
  });
});

describe.each(environments)('storage of %s', (environment) => {
  const resources = predicted(environment);
  const tables = ofType(resources, 'Microsoft.Storage/storageAccounts/tableServices/tables').map(({ name }) => {
    const [account = '', , table = ''] = name.split('/');
    return `${account.replace(/\w{13}$/, '')} ${table}`;
  });

  it('has the tables that the app uses, and the audit copy in an account of its own', () => {
    const credential = { getToken: () => Promise.resolve(null) };
    const used = Object.keys(connectTables('https://data.table.example', credential));
    expect(tables.sort()).toEqual([...used.map((table) => `stgatedata ${table}`), 'stgateaudit audit'].sort());
  });

  it('logs every access to the audit copy', () => {
    const ofAudit = resources.find(
      ({ type, id = '' }) =>
        type === 'Microsoft.Insights/diagnosticSettings' && /stgateaudit\w+\/tableServices/.test(id),
    );
    expect(properties(ofAudit)['logs']).toEqual(
      ['StorageRead', 'StorageWrite', 'StorageDelete'].map((category) => ({ category, enabled: true })),
    );
  });

  it('is locked where the parameter says so, and only the audit account', () => {
    const locked = ofType(resources, 'Microsoft.Authorization/locks').map(
      ({ id = '', properties: { level } }) =>
        `${/storageAccounts\/(stgate[a-z]+?)\w{13}\//.exec(id)?.[1]} ${text(level)}`,
    );
    expect(locked).toEqual(environment === 'main.dev' ? [] : ['stgateaudit CanNotDelete']);
  });
});

describe.each(['main.dev', 'main.prod'])('%s', (environment) => {
  const resources = predicted(environment);

  it('has none of the options that cost or need a decision', () => {
    expect(
      resources
        .map(({ type }) => type)
        .filter((type) => /^Microsoft\.(Network|KeyVault|DurableTask|EventGrid)\//.test(type)),
    ).toEqual([]);
    const [site] = ofType(resources, 'Microsoft.Web/sites');
    expect(at(site?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([]);
    expect(at(site?.properties, 'functionAppConfig.runtime')).toEqual({ name: 'node', version: '22' });
  });
});

describe('every option', () => {
  const resources = predicted('everything');

  it('closes storage and vault to the public network', () => {
    const accounts = [
      ...ofType(resources, 'Microsoft.Storage/storageAccounts'),
      ...ofType(resources, 'Microsoft.KeyVault/vaults'),
    ];
    expect(accounts.map(({ properties: { publicNetworkAccess } }) => publicNetworkAccess)).toEqual(
      Array(3).fill('Disabled'),
    );
    expect(
      ofType(resources, 'Microsoft.Network/privateEndpoints').map(({ name }) => name.replace(/-every.*/, '')),
    ).toEqual(['pep-data-blob', 'pep-data-queue', 'pep-data-table', 'pep-audit-table', 'pep-vault']);
    expect(text(ofType(resources, 'Microsoft.Web/sites')[0]?.properties['virtualNetworkSubnetId'])).toContain(
      'appSubnetId',
    );
  });

  it('delivers mail reports to the hook with a token of the tenant, and keeps what was not taken', () => {
    const [subscription] = ofType(resources, 'Microsoft.EventGrid/systemTopics/eventSubscriptions');
    expect(at(properties(subscription), 'destination.properties')).toMatchObject({
      azureActiveDirectoryTenantId: '00000000-0000-4000-8000-000000000002',
      azureActiveDirectoryApplicationIdOrUri: '11111111-1111-4111-8111-111111111111',
    });
    expect(text(at(properties(subscription), 'destination.properties.endpointUrl'))).toMatch(
      /^\[format\('https:\/\/\{0\}\/api\/hooks\/mail-delivery', .*\.hostName\.value\)\]$/,
    );
    expect(at(properties(subscription), 'filter.includedEventTypes')).toEqual([
      'Microsoft.Communication.EmailDeliveryReportReceived',
    ]);
    expect(at(properties(subscription), 'deadLetterWithResourceIdentity.deadLetterDestination.endpointType')).toBe(
      'StorageBlob',
    );
  });

  it('keeps instances warm where asked for', () => {
    const [site] = ofType(resources, 'Microsoft.Web/sites');
    expect(at(site?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([
      { name: 'http', instanceCount: 1 },
      { name: 'durable', instanceCount: 1 },
    ]);
  });
});

describe.each(environments)('operations of %s', (environment) => {
  const resources = predicted(environment);
  const rules = ofType(resources, 'Microsoft.Insights/scheduledQueryRules');
  const runbook = `${environment === 'everything' ? 'https://contoso.example/runbook' : 'https://contoso.example/gatehouse/operations.md'}#`;

  it('are told of each alert, with a link to its section of the runbook', () => {
    const alerts = rules.map(({ name, properties: { actions, description } }) => {
      const short = /^gatehouse-(.*)-(dev|prod|every)-/.exec(name)?.[1] ?? name;
      expect(at(actions, 'actionGroups')).toHaveLength(1);
      expect(at(actions, 'customProperties.runbook')).toBe(runbook + short);
      expect(description).toContain(runbook + short);
      return short;
    });
    expect(alerts).toEqual([
      'failed-applications',
      'oldest-open-request',
      'mail-failures',
      'graph-refused',
      'graph-throttled',
      'sweeper-repairs',
      'sweeper-silent',
      'audit-copy-differs',
      'graph-permissions',
      'reconcile-late',
    ]);
  });

  it('are asked of log lines that the README describes, field by field', () => {
    const readme = read('infra/README.md');
    for (const { properties: rule } of rules) {
      const query = text(((at(rule, 'criteria.allOf') as Json[])[0] as Fields)['query']);
      const line = /startswith "([\w-]+) \{"/.exec(query)?.[1];
      if (line === undefined) {
        expect(query).toContain('operation_Name == "sweeper"');
        continue;
      }
      const described = readme.split('\n').find((row) => row.startsWith(`| \`${line}\` `)) ?? '';
      expect(described).not.toBe('');
      const offset = /substring\(message, (\d+)\)/.exec(query)?.[1];
      if (offset !== undefined) expect(Number(offset)).toBe(line.length + 1);
      for (const [, field] of query.matchAll(/(?:\bs|\)\))\.(\w+)/g))
        expect(described).toContain(`\`${String(field)}\``);
    }
    const { items } = JSON.parse(read('infra/workbooks/operations.json')) as {
      items: { content: { query?: string } }[];
    };
    for (const { content } of items) {
      const [, line] = /startswith "([\w-]+) \{"/.exec(content.query ?? '') ?? [];
      if (line === undefined) continue;
      const described = readme.split('\n').find((row) => row.startsWith(`| \`${line}\` `)) ?? '';
      expect(content.query).toContain(`substring(message, ${String(line.length + 1)})`);
      for (const [, field] of content.query?.matchAll(/\bs\.(\w+)/g) ?? [])
        expect(described).toContain(`\`${String(field)}\``);
    }
    expect(read('functions/sweeper.ts')).toContain('`sweeper ${JSON.stringify(');
    expect(read('functions/audit-timers.ts')).toContain('`auditCopy ${JSON.stringify(');
  });

  it('have a workbook, and every resource carries the tags', () => {
    const [workbook] = ofType(resources, 'Microsoft.Insights/workbooks');
    expect(() => JSON.parse(text(workbook?.properties['serializedData'])) as unknown).not.toThrow();
    const untagged = resources
      .filter(({ location }) => location !== undefined)
      .filter(({ tags }) => tags?.['application'] !== 'gatehouse' || tags['azd-env-name'] === undefined)
      .map(({ name }) => name);
    expect(untagged).toEqual([]);
    expect(ofType(resources, 'Microsoft.Web/sites')[0]?.tags).toMatchObject({ 'azd-service-name': 'app' });
  });
});

test('whatever the app logs for operations is shown to them: in the workbook, or by an alert', () => {
  const logged = ['functions', 'orchestrations', 'shared'].flatMap((folder) =>
    readdirSync(join(__dirname, '../../..', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...read(join(folder, file)).matchAll(/\bevent\(\s*'([a-z-]+)'/g)].map(([, name]) => name)),
  );
  const shown = read('infra/workbooks/operations.json').replaceAll('\\"', '"') + read('infra/modules/alerts.bicep');
  expect(logged).toContain('request-told');
  expect(logged.filter((name) => !shown.includes(`startswith "${String(name)} {"`))).toEqual([]);
});
