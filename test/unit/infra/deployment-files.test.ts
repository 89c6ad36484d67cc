import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readConfig, settingNames } from '../../../shared/config';
import { ROLES } from '../../../shared/web/tokens';

const root = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found ?? '');

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const anchorsOf = (document: string): string[] => all(read(document), /^#+ (.+)$/gm).map(anchor);

describe('the runbook', () => {
  /** Names of all alert rules, as they stand in the compiled template. */
  const alerts = (): string[] => {
    const template = read('infra/main.json');
    const queries = /"queryAlerts": (\[[\s\S]*?\n\s+\])/.exec(template)?.[1] ?? '';
    const metrics = all(template, /"\[format\('gatehouse-([a-z-]+)-\{0\}', parameters\('nameSuffix'\)\)\]"/g);
    return [...new Set([...all(queries, /"name": "([a-z-]+)"/g), ...metrics])].sort();
  };

  test('has a section for each alert, under the name that the alert links to', () => {
    expect(alerts()).toEqual(expect.arrayContaining(['failed-applications', 'sweeper-silent', 'mail-reports-lost']));
    expect(anchorsOf('docs/operations.md')).toEqual(expect.arrayContaining(alerts()));
  });

  test('has no section for an alert that went', () => {
    const sections = all(read('docs/operations.md'), /^## ([a-z-]+)$/gm);
    expect(sections.sort()).toEqual(alerts());
  });

  test('says for each what it means, what to look at, and what to do', () => {
    const sections = read('docs/operations.md')
      .split(/^## /m)
      .filter((section) => alerts().includes(section.split('\n')[0] ?? ''));
    for (const section of sections)
      expect([section.split('\n')[0], all(section, /^\*\*(Means|Look at|Do)\*\*/gm)]).toEqual([
        section.split('\n')[0],
        ['Means', 'Look at', 'Do'],
      ]);
  });

  test('reads the lines as the alerts read them', () => {
    const bicep = read('infra/modules/alerts.bicep');
    const queries = [
      ...read('docs/operations.md').matchAll(
        /message startswith "([a-z-]+) \{"\s*\| extend \w = parse_json\(substring\(message, (\d+)\)\)/g,
      ),
    ];
    expect(queries.map(([, line]) => line)).toEqual(['request-failed', 'mail', 'graph', 'sweeper']);
    for (const [, line = '', offset] of queries) {
      expect([line, offset]).toEqual([line, String(line.length + 1)]);
      expect(bicep).toContain(`startswith "${line} {"`);
    }
  });
});

describe('docs/host-json.md', () => {
  type Json = string | number | boolean | { [name: string]: Json };
  /** Every setting with its value, by its path. */
  const leaves = (value: Json, path: string): [path: string, value: string][] =>
    typeof value === 'object'
      ? Object.entries(value).flatMap(([name, each]) => leaves(each, path === '' ? name : `${path}.${name}`))
      : [[path, String(value)]];

  test('explains every setting with the value that it has, and none that is not there', () => {
    const documented = [...read('docs/host-json.md').matchAll(/^\| `([\w.-]+)` +\| `([^`]+)` +\| (.+) \|$/gm)].map(
      ([, path = '', value = '', why = '']) => [path, value, why.trim().length > 20] as const,
    );
    const expected = leaves(JSON.parse(read('host.json')) as Json, '').map(([path, value]) => [path, value, true]);
    expect([...documented].sort()).toEqual(expected.sort());
  });
});

describe('the documents of deployment', () => {
  const documents = ['docs/deploy.md', 'docs/operations.md', 'docs/host-json.md', 'SECURITY.md', 'infra/README.md'];

  test.each(documents)('%s: links to sections lead somewhere', (document) => {
    const broken = [...read(document).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].filter(
      ([, file = '', section]) => {
        const target = file === '' ? document : join(dirname(document), file);
        return !existsSync(join(root, target)) || !anchorsOf(target).includes(section ?? '');
      },
    );
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('name only files, commands and features that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const document of documents) {
      const text = read(document);
      const files = all(text, /(?:^|[\s`(])((?:infra|test|functions|shared|\.github)\/[\w./-]+\.\w+)/gm);
      expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
      const commands = all(text, /npm run ([\w:-]+)/g);
      expect([document, commands.filter((name) => !(name in scripts))]).toEqual([document, []]);
    }
    const features = JSON.parse(read('infra/graph-permissions/features.json')) as Record<
      string,
      { permissions: string[] }
    >;
    const listed = [...read('docs/deploy.md').matchAll(/^\| `([\w-]+)` +\| (`[A-Z][^|]+) \|/gm)].map(
      ([, name = '', permissions = '']) => [name, all(permissions, /`([^`]+)`/g)] as const,
    );
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(Object.entries(features).map(([name, { permissions }]) => [name, permissions])),
    );
  });

  test('say plainly that nothing was deployed', () => {
    for (const document of ['docs/deploy.md', 'infra/README.md'])
      expect(read(document)).toMatch(/(Nothing here|None of this) has been deployed/);
    for (const file of ['infra/container/Containerfile', 'infra/container/kubernetes.yaml'])
      expect(read(file)).toMatch(/NEVER (BUILT|APPLIED) HERE/);
    expect(read('infra/graph-permissions/bicep/main.bicep')).toContain('NEVER COMPILED HERE');
  });
});

describe('azure.yaml', () => {
  const text = read('azure.yaml');

  test('deploys what npm run package makes to what the template tags', () => {
    expect(text).toMatch(/^ {2}app:\n(?: {4}.*\n)*? {4}host: function$/m);
    expect(text).toMatch(/^ {4}dist: build\/package$/m);
    expect(text).toMatch(/^ {4}remoteBuild: false$/m);
    expect(read('infra/modules/function-app.bicep')).toContain(`'azd-service-name': 'app'`);
    const module = /^ {2}module: (\S+)$/m.exec(text)?.[1] ?? '';
    expect(existsSync(join(root, 'infra', `${module}.bicepparam`))).toBe(true);
  });

  test('runs the same hooks under both shells, and all that there are', () => {
    const runs = all(text, /run: node (\S+\.mjs)/g);
    expect(runs.every((script) => existsSync(join(root, script)))).toBe(true);
    const hooks = readdirSync(join(root, 'infra/hooks')).filter((file) => /^(pre|post)/.test(file));
    expect(runs.sort()).toEqual(hooks.flatMap((file) => [`infra/hooks/${file}`, `infra/hooks/${file}`]).sort());
  });
});

test('the hooks read outputs that the template has', () => {
  const outputs = all(read('infra/main.bicep'), /^output (\w+) /gm);
  const used = ['identityPrincipalId', 'federatedCredentialIssuer', 'signInRedirectUri', 'functionAppHostName'];
  expect(outputs).toEqual(expect.arrayContaining(used));
  const hooks = read('infra/hooks/postprovision.mjs') + read('infra/hooks/postdeploy.mjs');
  for (const name of used) expect(hooks).toContain(name);
});

test('the registration defines every role that the code checks, each with an id of its own', () => {
  const registration = read('infra/hooks/registration.mjs');
  for (const value of Object.values(ROLES)) expect(registration).toContain(`'${value}'`);
  const ids = all(registration, /'(b7d1f0a4-[0-9a-f-]+)'/g);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(6);
  // docs/deploy.md gives a system its role by this id
  const submit = /'(b7d1f0a4-[0-9a-f-]+)',\s+'Requests\.Submit'/.exec(registration)?.[1];
  expect(read('docs/deploy.md')).toContain(`"appRoleId":"${submit ?? 'none'}"`);
});

describe('the workflow', () => {
  const files = readdirSync(join(root, '.github/workflows'));

  test.each(files)('%s: every action is pinned by commit, with its release beside it', (file) => {
    const uses = all(read(`.github/workflows/${file}`), /uses: (.+)$/gm);
    expect(uses).not.toHaveLength(0);
    for (const use of uses) expect(use).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('runs the gate on the pinned Node, and may only read', () => {
    const text = read('.github/workflows/checks.yml');
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(all(text, /(permissions|secrets\.)/g)).toEqual(['permissions']);
    expect(text).toContain('run: .ci/run');
    expect(text).toContain('node-version-file: .node-version');
    expect(text).toContain('persist-credentials: false');
  });
});

describe('the example for Kubernetes', () => {
  const text = read('infra/container/kubernetes.yaml');
  const data = /\nkind: ConfigMap\n[\s\S]*?\ndata:\n([\s\S]*?)\n---/.exec(text)?.[1] ?? '';
  const values = Object.fromEntries(
    [...data.matchAll(/^ {2}(\w+): '?([^'\n]+)'?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );

  test('gives settings with which the app starts', () => {
    expect(Object.keys(values)).toEqual(expect.arrayContaining(['TENANT_ID', 'TASKHUB_NAME', 'TABLES_ENDPOINT']));
    expect(() => readConfig(values)).not.toThrow();
    const others = ['TASKHUB_NAME', ...Object.keys(values).filter((name) => name.startsWith('AzureWebJobsStorage__'))];
    expect(Object.keys(values).filter((name) => ![...settingNames, ...others].includes(name))).toEqual([]);
  });

  test('scales by the queues that the task hub has', () => {
    const { extensions } = JSON.parse(read('host.json')) as {
      extensions: { durableTask: { storageProvider: { partitionCount: number } } };
    };
    const hub = (values['TASKHUB_NAME'] ?? '').toLowerCase();
    const control = Array.from(
      { length: extensions.durableTask.storageProvider.partitionCount },
      (_, index) => `${hub}-control-${String(index).padStart(2, '0')}`,
    );
    expect(all(text, /queueName: (\S+)/g)).toEqual([`${hub}-workitems`, ...control]);
    expect(text).toMatch(/minReplicaCount: [1-9]/);
  });

  test('holds no secret', () => {
    expect(text).not.toMatch(/kind: Secret|ConnectionString|AccountKey|SharedAccess|password/i);
  });
});
