import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../folders';

/** The stack's own certificate authority and the certificate of `localhost`, as files and as their texts. */
export interface Tls {
  caFile: string;
  certFile: string;
  keyFile: string;
  ca: string;
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;
const YEARS_MS = 30 * 365 * DAY_MS;

function write(file: string, contents: string, mode: number): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, contents, { mode });
  // The mode of a new file is cut down by the umask, and that of an old one stays.
  chmodSync(temporary, mode);
  renameSync(temporary, file);
}

async function make(folder: string): Promise<void> {
  // It brings 20 MB of code along, which most starts don't need.
  const { generate } = await import('selfsigned');
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  const period = { notBeforeDate, notAfterDate: new Date(notBeforeDate.getTime() + YEARS_MS) };
  const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'Gatehouse local stack' }], {
    ...kind,
    ...period,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const localhost = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...kind,
    ...period,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  // The authority's own key is not kept: it signs this one certificate and nothing else, ever.
  write(join(folder, 'localhost.key'), localhost.private, 0o600);
  write(join(folder, 'localhost.pem'), localhost.cert, 0o644);
  write(join(folder, 'ca.pem'), authority.cert, 0o644);
}

/** The certificates in `<state>/tls`, made where they are missing; valid for thirty years, so that the clock can be moved. */
export async function ensureTls(state: string): Promise<Tls> {
  const folder = join(state, 'tls');
  makeFolder(folder, 0o700);
  const files = {
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'localhost.pem'),
    keyFile: join(folder, 'localhost.key'),
  };
  if (!Object.values(files).every((file) => existsSync(file))) await make(folder);
  const text = (file: string): string => readFileSync(file, 'utf8');
  return { ...files, ca: text(files.caFile), cert: text(files.certFile), key: text(files.keyFile) };
}
