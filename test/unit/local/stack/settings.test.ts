import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envLines, writeEnvFile } from '../../../../local/stack/env-file';
import { firstRequestCurl } from '../../../../local/stack/first-request';
import { PortInUse, portsFrom } from '../../../../local/stack/ports';
import { appSettings, storageConnection, urlsOf } from '../../../../local/stack/settings';
import { StackProblem, explainProblem, openStateFolder } from '../../../../local/stack/state-folder';
import { readConfig } from '../../../../shared/config';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const urls = urlsOf(portsFrom(7070));
const settings = appSettings({ urls, wires: false, identityHeader: 'h', caFile: '/state/tls/ca.pem' });

describe('the settings', () => {
  test('are all that the app asks for', () => {
    const config = readConfig(settings);
    expect(config.WEBSITE_AUTH_ENABLED).toBe(true);
    expect(config.PUBLIC_BASE_URL).toBe('http://localhost:7070');
    expect(config.TABLES_ENDPOINT).toBe('https://localhost:7078/devstoreaccount1');
  });

  test('lead to the wire where there is one', () => {
    const wired = appSettings({ urls, wires: true, identityHeader: 'h', caFile: '' });
    expect(wired['TABLES_ENDPOINT']).toBe(urls.wire);
    expect(urls.wire).not.toBe(urls.tables);
  });

  test('name the ports of the real host’s storage', () => {
    expect(storageConnection(portsFrom(9000))).toMatch(
      /BlobEndpoint=http:\/\/127\.0\.0\.1:9009\/devstoreaccount1;QueueEndpoint=http:\/\/127\.0\.0\.1:9010\/devstoreaccount1;TableEndpoint=http:\/\/127\.0\.0\.1:9011\/devstoreaccount1;$/,
    );
  });

  test('stand in a file as lines whose values keep every character', () => {
    expect(envLines({ A: '{"b":"c=d"}', E: '' })).toBe('A={"b":"c=d"}\nE=\n');
    expect(() => envLines({ A: 'two\nlines' })).toThrow(/more than one line/);
  });

  test('replace an older file whole, and are for its owner', () => {
    const file = join(folder, 'app.env');
    writeEnvFile(file, { A: '1', B: '2' });
    writeEnvFile(file, { A: '3' });
    expect(readFileSync(file, 'utf8')).toBe('A=3\n');
    expect(readdirSync(folder)).toEqual(['app.env']);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

test('the ports follow each other as local/README.md lists them', () => {
  const { frontDoor, host, entra, entraHttps, directory, directoryHttps, mail, mailHttps, tables } = portsFrom(7070);
  expect([frontDoor, host, entra, entraHttps, directory, directoryHttps, mail, mailHttps, tables]).toEqual([
    7070, 7071, 7072, 7073, 7074, 7075, 7076, 7077, 7078,
  ]);
});

test('the first request fetches its token in the same line, as plain text', () => {
  const curl = firstRequestCurl(urls);
  expect(curl).toMatch(
    /"Authorization: Bearer \$\(curl -s http:\/\/localhost:7072\/\S+\/token -H 'Accept: text\/plain' /,
  );
  expect(curl).toContain('rita@contoso.example');
  expect(curl).not.toContain('jq');
});

describe('what a person can mend is told in one sentence', () => {
  const failure = (code: string, message = code): Error => Object.assign(new Error(message), { code });
  test.each([
    ['a port in use', new PortInUse(7074, 'directory'), /^Port 7074 \(for directory\) is in use: .*--port-base/],
    ['a full disk', failure('ENOSPC'), /^The disk that holds the state folder \/s is full: .*--state/],
    [
      'a full disk that SQLite found',
      new Error('services ended at its start:\n  database or disk is full'),
      /disk .* is full/,
    ],
    ['a full disk that a part reported', new Error('host ended:\n ENOSPC: no space left on device'), /disk .* is full/],
    ['a folder without permission', failure('EACCES'), /^The state folder \/s cannot be read and written: .*--state/],
    ['a read-only disk', failure('EROFS'), /cannot be read and written/],
    ['a file in the place of the folder', failure('EEXIST'), /^The state folder \/s is not a folder/],
    ['a problem that says so itself', new StackProblem('Do this.'), /^Do this\.$/],
  ])('%s', (_, error, sentence) => {
    const told = explainProblem(error, '/s');
    expect(told).toMatch(sentence);
    expect(told).not.toContain('\n');
  });

  test('and a fault of the stack is not dressed up as one', () => {
    expect(explainProblem(new TypeError('x is not a function'), '/s')).toBeUndefined();
  });
});

describe('the state folder', () => {
  const path = join(folder, 'state');

  test('is the owner’s alone, and held while it is open', async () => {
    const open = await openStateFolder({ path });
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o700);
    await expect(openStateFolder({ path })).rejects.toThrow(/in use by another local stack/);
    open.release();
    (await openStateFolder({ path })).release();
  });

  test('is a temporary one where none is named, and goes when it is let go of', async () => {
    const open = await openStateFolder({});
    expect(existsSync(open.path)).toBe(true);
    open.release();
    expect(existsSync(open.path)).toBe(false);
  });

  test('is emptied of what the stack keeps, and of that only', async () => {
    const open = await openStateFolder({ path });
    for (const name of ['clock', 'entra.db', 'entra.db-wal', 'notes.txt']) writeEnvFile(open.file(name), { A: '1' });
    open.release();
    (await openStateFolder({ path, fresh: true })).release();
    expect(readdirSync(path)).toEqual(['notes.txt']);
    await expect(openStateFolder({ path, fresh: true })).rejects.toThrow(/--fresh leaves it alone/);
    expect(existsSync(join(path, 'notes.txt'))).toBe(true);
  });
});
