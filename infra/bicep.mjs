// `node infra/bicep.mjs check`: the templates are formatted, pass every lint rule, and compile to the committed main.json and snapshots.
// `node infra/bicep.mjs write`: formats them and writes main.json and the snapshots anew.
// The compiler comes from NuGet, so both need .NET and nothing else; without .NET, `check` says so and passes.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '0.49.2';
const PARAMETERS = ['main.dev.bicepparam', 'main.prod.bicepparam', 'snapshots/everything.bicepparam'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const infra = join(root, 'infra');
/** Everything is compiled in a copy: Bicep writes its output beside its input. */
const work = join(root, 'build', 'infra');

/** What the deployment of an example would be given; nothing from the machine's own environment may get into a snapshot. */
const EXAMPLE = {
  GATEHOUSE_API_CLIENT_ID: '11111111-1111-4111-8111-111111111111',
  GATEHOUSE_OPERATIONS_EMAILS: 'operations@contoso.example',
  GATEHOUSE_RUNBOOK_URL: 'https://contoso.example/gatehouse/operations.md',
  GATEHOUSE_MAIL_DOMAIN: 'mail.contoso.example',
  GATEHOUSE_BUDGET: '100',
  GATEHOUSE_BUDGET_START: '2026-12-01',
};
const EXAMPLE_TARGET = [
  ['--tenant-id', '00000000-0000-4000-8000-000000000002'],
  ['--subscription-id', '00000000-0000-4000-8000-000000000001'],
  ['--resource-group', 'rg-gatehouse'],
  ['--location', 'westeurope'],
].flat();

class Failure extends Error {}

const printed = new Set();

/** Runs a program to its end. @throws {Failure} with the program's own message where it fails. */
function run(program, args, { environment = process.env, input } = {}) {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    env: environment,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  const said = `${stdout}${stderr}`.trim();
  if (status !== 0) throw new Failure(said === '' ? `${basename(program)} ${args[0]} ended with ${status}.` : said);
  return said;
}

/** Major version of the installed .NET SDK; undefined where there is none. */
function installedDotnet() {
  try {
    return run('dotnet', ['--version']).split('.')[0];
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Path of the pinned compiler, restored from NuGet at the first call. */
function restoreCompiler(dotnetMajor) {
  const platform = { linux: 'linux', darwin: 'osx', win32: 'win' }[process.platform];
  const name = `Azure.Bicep.CommandLine.${platform}-${process.arch}`;
  const cache = join(root, 'build', 'bicep');
  const tool = process.platform === 'win32' ? 'bicep.exe' : 'bicep';
  const compiler = join(cache, 'packages', name.toLowerCase(), VERSION, 'tools', tool);
  if (!existsSync(compiler)) {
    const project = join(cache, 'compiler.csproj');
    mkdirSync(cache, { recursive: true });
    writeFileSync(
      project,
      `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net${dotnetMajor}.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="${name}" Version="[${VERSION}]" /></ItemGroup>
</Project>
`,
    );
    const environment = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
    run('dotnet', ['restore', project, '--packages', join(cache, 'packages')], { environment });
    if (process.platform !== 'win32') chmodSync(compiler, 0o755);
  }
  const version = run(compiler, ['--version']);
  if (!version.includes(` ${VERSION} `)) throw new Failure(`${compiler} is '${version}', not ${VERSION}.`);
  return compiler;
}

/** Which API version is the latest changes with the calendar, and a commit that was green stays green: this rule only prints. */
const ONLY_PRINTED = ' use-recent-api-versions: ';

/** A warning fails like an error: Bicep itself ends with 0 after warnings. @throws {Failure} */
function bicep(compiler, args) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(GATEHOUSE|AZURE)_/.test(name));
  const plain = (text) => text.replaceAll(work, 'infra');
  let said;
  try {
    said = run(compiler, args, { environment: { ...Object.fromEntries(inherited), ...EXAMPLE } });
  } catch (error) {
    throw error instanceof Failure ? new Failure(plain(error.message)) : error;
  }
  const lines = said.split('\n');
  const found = lines.filter((line) => / : (Warning|Error|Info) /.test(line) && !line.includes(ONLY_PRINTED));
  if (found.length > 0) throw new Failure(plain(said));
  for (const line of lines.filter((line) => line.includes(ONLY_PRINTED))) printed.add(plain(line));
}

/** Needs an extension from a registry that the checks don't reach. */
const LEFT_OUT = 'graph-permissions';

const sources = (folder = infra) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.bicep(param)?$/.test(file) && !file.startsWith(LEFT_OUT))
    .sort();

const sameText = (a, b) => existsSync(a) && readFileSync(a, 'utf8') === readFileSync(b, 'utf8');

const snapshotName = (parameters) => `${basename(parameters, '.bicepparam')}.snapshot.json`;
const committedSnapshot = (parameters) => join(infra, 'snapshots', snapshotName(parameters));
const workingSnapshot = (parameters) => join(work, dirname(parameters), snapshotName(parameters));

/** A fresh copy of the sources, formatted. */
function prepare(compiler) {
  rmSync(work, { recursive: true, force: true });
  cpSync(infra, work, {
    recursive: true,
    filter: (path) => !path.endsWith('.snapshot.json') && !path.endsWith('main.json') && path !== join(infra, LEFT_OUT),
  });
  bicep(compiler, ['format', '--pattern', join(work, '**/*.bicep*')]);
}

function check(compiler) {
  prepare(compiler);
  bicep(compiler, ['lint', '--pattern', join(work, '**/*.bicep')]);
  const unformatted = sources().filter((file) => !sameText(join(infra, file), join(work, file)));
  if (unformatted.length > 0)
    throw new Failure(`Not formatted: ${unformatted.join(', ')}. Run: node infra/bicep.mjs write`);

  bicep(compiler, ['build', join(work, 'main.bicep')]);
  if (!sameText(join(infra, 'main.json'), join(work, 'main.json')))
    throw new Failure('infra/main.json is not what the sources compile to. Run: node infra/bicep.mjs write');

  bicep(compiler, ['build-params', '--pattern', join(work, '**/*.bicepparam')]);
  for (const file of PARAMETERS) {
    const committed = committedSnapshot(file);
    if (!existsSync(committed))
      throw new Failure(`${relative(root, committed)} is missing. Run: node infra/bicep.mjs write`);
    copyFileSync(committed, workingSnapshot(file));
    bicep(compiler, ['snapshot', join(work, file), '--mode', 'validate', ...EXAMPLE_TARGET]);
  }
  for (const line of printed) console.log(line);
  console.log(
    `Bicep ${VERSION}: ${sources().length} files formatted, linted and compiled; ${PARAMETERS.length} snapshots hold.`,
  );
}

function write(compiler) {
  prepare(compiler);
  for (const file of sources()) copyFileSync(join(work, file), join(infra, file));
  bicep(compiler, ['build', join(work, 'main.bicep')]);
  copyFileSync(join(work, 'main.json'), join(infra, 'main.json'));
  for (const file of PARAMETERS) {
    bicep(compiler, ['snapshot', join(work, file), '--mode', 'overwrite', ...EXAMPLE_TARGET]);
    copyFileSync(workingSnapshot(file), committedSnapshot(file));
  }
  console.log(`Written: infra/main.json and ${PARAMETERS.length} snapshots.`);
}

const command = { check, write }[process.argv[2]];
try {
  if (command === undefined) throw new Failure('Usage: node infra/bicep.mjs check|write');
  const dotnetMajor = installedDotnet();
  if (dotnetMajor !== undefined) command(restoreCompiler(dotnetMajor));
  else if (command === check) console.log('Bicep checks skipped: .NET is not installed');
  else throw new Failure('Install the .NET SDK: the Bicep compiler comes through it.');
} catch (error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exitCode = 1;
}
