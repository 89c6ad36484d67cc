import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** What listens, in the order of the default ports. */
export const portNames = [
  'frontDoor',
  'host',
  'entra',
  'entraHttps',
  'directory',
  'directoryHttps',
  'mail',
  'mailHttps',
  'tables',
  'storageBlob',
  'storageQueue',
  'storageTable',
  'wire',
  'wireAdmin',
  'durable',
  'durableWire',
  'durableWireAdmin',
] as const;
export type PortName = (typeof portNames)[number];
export type Ports = Record<PortName, number>;

/** The first of the stack's default ports. */
export const DEFAULT_PORT_BASE = 7070;

/** Consecutive ports from `base` on, in the order of `local/README.md`. */
export function portsFrom(base: number): Ports {
  return Object.fromEntries(portNames.map((name, index) => [name, base + index])) as Ports;
}

/** A port that was asked for is taken. */
export class PortInUse extends Error {
  constructor(
    readonly port: number,
    readonly part: PortName,
  ) {
    super(`Port ${port} (${part}) is in use.`);
    this.name = 'PortInUse';
  }
}

/** Can 127.0.0.1:`port` be listened on? */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

// Below the ranges from which systems take the local ports of outgoing connections: a part that is restarted finds its port free.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A free port that no outgoing connection will take while its part is restarted. */
export async function freePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
}

/** Every port of the stack: those asked for (which must be free; 0 means any), any free ones for the rest. */
export async function choosePorts(wanted: Partial<Ports>, used: readonly PortName[]): Promise<Ports> {
  const chosen = portsFrom(0);
  const taken = new Set(Object.values(wanted));
  for (const name of portNames) {
    const port = wanted[name] ?? 0;
    if (port !== 0 && used.includes(name) && !(await isFree(port))) throw new PortInUse(port, name);
    chosen[name] = port !== 0 || !used.includes(name) ? port : await freePort(taken);
    taken.add(chosen[name]);
  }
  return chosen;
}
