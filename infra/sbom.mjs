// `node infra/sbom.mjs`: writes build/sbom.cdx.json, a CycloneDX 1.6 bill of materials of what is deployed: the packages whose code esbuild put
// into the bundle, with version, licence and hash (of the package's archive) as package-lock.json pins them. The same bundle gives the same
// bytes.
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../local/build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'build', 'sbom.cdx.json');
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** Where npm put the package that a file belongs to: `node_modules/a/node_modules/@b/c`; undefined for files of our own. */
function packagePath(file) {
  const path = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
  return path?.startsWith('node_modules/') ? path : undefined;
}

/** Paths of all packages with code in the bundle. */
function bundledPackages(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs ?? {}));
  const shipped = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return [...new Set(shipped.map(([file]) => packagePath(file)).filter(Boolean))].sort();
}

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
/** Package URL (purl-spec, type npm): the `@` of a scope is percent-encoded. */
const purlOf = (name, version) => `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;

/** An SPDX id stands as such; anything composed is an expression. */
const licensesOf = (license) => [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }];

function hashesOf(integrity) {
  const algorithms = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
  return integrity.split(' ').map((entry) => {
    const [algorithm, base64] = [entry.slice(0, entry.indexOf('-')), entry.slice(entry.indexOf('-') + 1)];
    return { alg: algorithms[algorithm], content: Buffer.from(base64, 'base64').toString('hex') };
  });
}

/** @throws {Error} where the lockfile does not pin a package that is shipped */
function componentOf(path, locked) {
  const { version, license, integrity } = locked ?? {};
  if (!version || !license || !integrity)
    throw new Error(`package-lock.json does not tell version, licence and hash of ${path}.`);
  const name = nameOf(path);
  const [group, short] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = purlOf(name, version);
  return {
    type: 'library',
    // the same version may be installed twice, and is one component then
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name: short,
    version,
    scope: 'required',
    hashes: hashesOf(integrity),
    licenses: licensesOf(license),
    purl,
  };
}

/** Where Node finds a dependency of the package at `path`: in its own node_modules, or further up. */
function resolveFrom(path, name, packages) {
  for (let folder = path; ;) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (folder === '') return undefined;
    const parent = folder.lastIndexOf('/node_modules/');
    folder = parent < 0 ? '' : folder.slice(0, parent);
  }
}

function billOfMaterials() {
  const manifest = readJson('package.json');
  const { packages } = readJson('package-lock.json');
  const paths = bundledPackages(readJson('build/meta.json'));
  const shipped = new Set(paths);
  const components = new Map(paths.map((path) => [path, componentOf(path, packages[path])]));
  const own = { ref: purlOf(manifest.name, manifest.version), path: '' };

  const dependsOn = ({ path }) => {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = packages[path];
    // an optional peer may be named by its second list only
    const names = Object.keys({
      ...dependencies,
      ...optionalDependencies,
      ...peerDependencies,
      ...peerDependenciesMeta,
    });
    const found = names.map((name) => resolveFrom(path, name, packages)).filter((each) => shipped.has(each));
    return [...new Set(found.map((each) => components.get(each)['bom-ref']))].sort();
  };
  const nodes = [own, ...paths.map((path) => ({ ref: components.get(path)['bom-ref'], path }))];
  const dependencies = new Map();
  for (const node of nodes) {
    const known = dependencies.get(node.ref) ?? [];
    dependencies.set(node.ref, [...new Set([...known, ...dependsOn(node)])].sort());
  }

  const listed = [...new Map([...components.values()].map((each) => [each['bom-ref'], each])).values()];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(listed),
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': own.ref,
        name: manifest.name,
        version: manifest.version,
        description: manifest.description,
        licenses: licensesOf(manifest.license),
        purl: own.ref,
      },
    },
    components: listed,
    dependencies: [...dependencies].map(([ref, on]) => ({ ref, dependsOn: on })),
  };
}

/** A UUID of version 8 made from what is listed, so that no clock and no chance gets into the file. */
function serialNumber(listed) {
  const hex = createHash('sha256').update(JSON.stringify(listed)).digest('hex');
  const variant = ((Number.parseInt(hex[16], 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  try {
    if (!(await build({ ifStale: true }))) throw new Error('The build failed: there is nothing to list.');
    const bill = billOfMaterials();
    writeFileSync(target, `${JSON.stringify(bill, null, 2)}\n`);
    console.log(`build/sbom.cdx.json: ${bill.components.length} packages in the bundle (CycloneDX 1.6)`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
