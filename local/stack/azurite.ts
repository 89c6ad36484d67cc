import { join } from 'node:path';
import { KEEP_ALIVE_MS } from './listeners';
import { built, root } from './paths';
import type { Ports } from './ports';
import type { Tls } from './tls';

interface Azurite {
  script: string;
  args: string[];
  preload: string;
  readyLine: RegExp;
}

const preload = built('stack/without-telemetry.js');

const script = (...parts: string[]): string => join(root, 'node_modules', 'azurite', 'dist', 'src', ...parts);

// The SDKs are newer than Azurite; account names never stand in the host name here.
const COMMON = ['--silent', '--skipApiVersionCheck', '--disableProductStyleUrl', '--disableTelemetry'];

/** The tables that the app keeps its records in: HTTPS, Entra tokens only. */
export const tableService = (ports: Ports, folder: string, tls: Tls): Azurite => ({
  script: script('table', 'main.js'),
  preload,
  args: [
    ...['--tableHost', '127.0.0.1', '--tablePort', String(ports.tables)],
    ...['--tableKeepAliveTimeout', String(KEEP_ALIVE_MS / 1_000)],
    ...['--location', folder, '--oauth', 'basic', '--cert', tls.certFile, '--key', tls.keyFile],
    ...COMMON,
  ],
  readyLine: /Table service successfully started/,
});

/** Blobs, queues and tables over plain HTTP: the real Functions host's own storage. */
export const hostStorage = (ports: Ports, folder: string): Azurite => ({
  script: script('azurite.js'),
  preload,
  args: [
    ...['--blobHost', '127.0.0.1', '--blobPort', String(ports.storageBlob)],
    ...['--queueHost', '127.0.0.1', '--queuePort', String(ports.storageQueue)],
    ...['--tableHost', '127.0.0.1', '--tablePort', String(ports.storageTable)],
    ...['--location', folder],
    ...COMMON,
  ],
  readyLine: /Table service is successfully listening/,
});
