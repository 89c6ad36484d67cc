// `node infra/package.mjs`: builds the app and makes what is deployed, build/gatehouse.zip, the same bytes for the same sources and Node.
// The folder build/package/ holds the same files unpacked, for what packs by itself (azd, container images).
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import { build } from '../local/build.mjs';
import { loadInFreshNode } from './cold-start.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'package');
const archive = join(root, 'build', 'gatehouse.zip');

/** 1 January 1980, 00:00: the earliest time that the format knows, so that no clock gets into the archive. */
const [DOS_TIME, DOS_DATE] = [0, 0x21];
const DEFLATED = 8;
const VERSION_NEEDED = 20;
/** Written on Unix, a regular file, rw-r--r--: what is unpacked as another user must stay readable. */
const MADE_BY_UNIX = (3 << 8) | VERSION_NEEDED;
const UNIX_MODE = 0o100644;

/**
 * A zip archive of files given as `{ path, contents }`, in the order of their paths (APPNOTE.TXT 6.3.10: local headers, central directory,
 * end record). No file may reach 4 GiB. A writer of our own, since no dependency of the project packs zip archives and four files need none.
 */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { path, contents } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = Buffer.from(path, 'utf8');
    const packed = deflateRawSync(contents, { level: 9 });
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(contents), 0);
    sizes.writeUInt32LE(packed.length, 4);
    sizes.writeUInt32LE(contents.length, 8);
    // bit 11: the name is UTF-8
    const shared = words([VERSION_NEEDED, 0x0800, DEFLATED, DOS_TIME, DOS_DATE]);
    const header = [signature(0x04034b50), shared, sizes, words([name.length, 0]), name];
    directory.push(
      signature(0x02014b50),
      words([MADE_BY_UNIX]),
      shared,
      sizes,
      words([name.length, 0, 0, 0, 0]),
      longs([(UNIX_MODE << 16) >>> 0, offset]),
      name,
    );
    parts.push(...header, packed);
    offset += Buffer.concat(header).length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = [
    signature(0x06054b50),
    words([0, 0, files.length, files.length]),
    longs([listed.length, offset]),
    words([0]),
  ];
  return Buffer.concat([...parts, listed, ...end]);
}

const signature = (value) => longs([value]);

function words(values) {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16LE(value, index * 2));
  return buffer;
}

function longs(values) {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => buffer.writeUInt32LE(value, index * 4));
  return buffer;
}

/** What the Functions host reads: nothing is installed on the server, so no dependency and no script is named. */
function deployedManifest() {
  const { name, main, type = 'commonjs', engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Buffer.from(`${JSON.stringify({ name, main, type, engines }, null, 2)}\n`);
}

/** Everything that is deployed, by its path in the package. */
const contentsOfPackage = () => [
  { path: 'host.json', contents: readFileSync(join(root, 'host.json')) },
  { path: 'package.json', contents: deployedManifest() },
  ...['dist/main.js', 'dist/main.js.map'].map((path) => ({ path, contents: readFileSync(join(root, path)) })),
];

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;

async function makePackage() {
  if (!(await build({ ifStale: true }))) throw new Error('The build failed: nothing was packed.');
  const files = contentsOfPackage();
  rmSync(folder, { recursive: true, force: true });
  for (const { path, contents } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  const packed = zip(files);
  writeFileSync(archive, packed);

  const { milliseconds, functions } = loadInFreshNode(join(folder, 'dist', 'main.js'));
  console.log(
    `build/gatehouse.zip: ${kilobytes(packed.length)}, ${files.length} files, ${kilobytes(sum(files))} unpacked`,
  );
  for (const { path, contents } of files) console.log(`  ${path}  ${kilobytes(contents.length)}`);
  console.log(
    `A fresh Node ${process.version} loads it in ${milliseconds.toFixed(0)} ms; ${functions.length} functions registered.`,
  );
}

const sum = (files) => files.reduce((total, { contents }) => total + contents.length, 0);

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  try {
    await makePackage();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
