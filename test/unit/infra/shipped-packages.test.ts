import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(__dirname, '..', '..', '..');
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** Licences that may be shipped under the project's own (MIT), by SPDX id: permissive ones, which ask for attribution at most. */
const ALLOWED = ['MIT', 'Apache-2.0', 'BSD-3-Clause', 'BSD-2-Clause', 'ISC', '0BSD'];

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      devOptional: z.boolean().optional(),
    }),
  ),
});

const lockedPackages = () => Object.entries(lockSchema.parse(readJson('package-lock.json')).packages);

/** Packages that an installation without development and optional dependencies has: more than what is bundled, never less. */
const runtimePackages = () =>
  lockedPackages().filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional);

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

test('every runtime dependency has a licence that may be shipped', () => {
  const packages = runtimePackages();
  expect(packages.length).toBeGreaterThan(50);
  const refused = packages.filter(([, { license = 'none' }]) => !ALLOWED.includes(license));
  expect(refused.map(([path, { license }]) => `${nameOf(path)}: ${String(license)}`)).toEqual([]);
});

test('every runtime dependency is pinned by version and hash', () => {
  const loose = runtimePackages().filter(([, { version, integrity }]) => !version || !integrity?.startsWith('sha512-'));
  expect(loose.map(([path]) => path)).toEqual([]);
});

/** The parts of the CycloneDX 1.6 JSON schema that the bill uses, as strict as it is. */
const hash = z.strictObject({
  alg: z.enum(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']),
  content: z.string().regex(/^([a-f0-9]{40}|[a-f0-9]{64}|[a-f0-9]{96}|[a-f0-9]{128})$/),
});
const licenses = z.union([
  z.array(z.strictObject({ license: z.strictObject({ id: z.enum(ALLOWED) }) })).min(1),
  z.tuple([z.strictObject({ expression: z.string().min(1) })]),
]);
const purl = z.string().regex(/^pkg:npm\/(%40[a-z0-9._~-]+\/)?[A-Za-z0-9._~-]+@\d+\.\d+\.\d+\S*$/);
const billSchema = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({
    lifecycles: z.array(z.strictObject({ phase: z.literal('build') })),
    component: z.strictObject({
      type: z.literal('application'),
      'bom-ref': z.string().min(1),
      name: z.string(),
      version: z.string(),
      description: z.string(),
      licenses,
      purl,
    }),
  }),
  components: z.array(
    z.strictObject({
      type: z.literal('library'),
      'bom-ref': z.string().min(1),
      group: z.string().startsWith('@').optional(),
      name: z.string().min(1),
      version: z.string(),
      scope: z.literal('required'),
      hashes: z.array(hash).min(1),
      licenses,
      purl,
    }),
  ),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
type Bill = z.output<typeof billSchema>;

describe('npm run sbom', () => {
  let bill: Bill;
  let bytes: string;
  const make = (): void => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'infra/sbom.mjs')], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    bytes = readFileSync(join(root, 'build/sbom.cdx.json'), 'utf8');
  };
  beforeAll(() => {
    make();
    bill = billSchema.parse(JSON.parse(bytes));
  });

  /** Packages that esbuild says it took code from. */
  const bundled = (): Set<string> => {
    const { outputs } = readJson('build/meta.json') as {
      outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
    };
    const files = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
    const names = files
      .filter(([file, { bytesInOutput }]) => bytesInOutput > 0 && file.includes('node_modules/'))
      .map(([file]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file);
    return new Set(names);
  };
  const fullName = ({ group, name }: Bill['components'][number]): string =>
    group === undefined ? name : `${group}/${name}`;

  test('lists what is in the bundle: no package more, none less', () => {
    expect(new Set(bill.components.map(fullName))).toEqual(bundled());
    const direct = Object.keys((readJson('package.json') as { dependencies: object }).dependencies);
    expect([...bundled()]).toEqual(expect.arrayContaining(direct));
  });

  test('nothing of it is there for development only', () => {
    const runtime = new Set(runtimePackages().map(([path, { version = '' }]) => `${nameOf(path)}@${version}`));
    const others = bill.components.filter((each) => !runtime.has(`${fullName(each)}@${each.version}`));
    expect(others.map(fullName)).toEqual([]);
  });

  test('versions, licences and hashes are those of the lockfile', () => {
    const locked = new Map(
      lockedPackages().map(([path, each]) => [`${nameOf(path)}@${each.version ?? ''}`, each] as const),
    );
    for (const component of bill.components) {
      const { license = '', integrity = '' } = locked.get(`${fullName(component)}@${component.version}`) ?? {};
      expect(component.licenses).toEqual([{ license: { id: license } }]);
      const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
      expect(component.hashes).toEqual([{ alg: 'SHA-512', content }]);
      expect(decodeURIComponent(component.purl)).toBe(`pkg:npm/${fullName(component)}@${component.version}`);
    }
  });

  test('the graph of dependencies names every component once, and everything is reached from the app', () => {
    const refs = [bill.metadata.component['bom-ref'], ...bill.components.map((each) => each['bom-ref'])];
    expect(new Set(refs).size).toBe(refs.length);
    expect(bill.dependencies.map(({ ref }) => ref).sort()).toEqual([...refs].sort());
    const edges = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const walk = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of edges.get(ref) ?? []) walk(next);
    };
    walk(bill.metadata.component['bom-ref']);
    expect([...reached].sort()).toEqual([...refs].sort());
  });

  test('the same bundle gives the same bytes', () => {
    const before = bytes;
    make();
    expect(bytes).toBe(before);
  });
});
