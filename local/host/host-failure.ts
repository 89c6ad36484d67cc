/** A failure that the person who started the host can mend; its message is one sentence that says how. */
export class HostFailure extends Error {
  override name = 'HostFailure';
}

/** What an error carries, wherever it was made: apps may throw errors of another realm. */
function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  const message = property(error, 'message');
  return typeof message === 'string' ? message : String(error);
}

/** The stack of whatever was thrown, or at least its message. */
export function stackOf(error: unknown): string {
  const stack = property(error, 'stack');
  return typeof stack === 'string' && stack !== '' ? stack : messageOf(error);
}

/** The code of a system error (`ENOENT`, `EADDRINUSE`), undefined for any other. */
export function codeOf(error: unknown): string | undefined {
  const code = property(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** SQLite's primary result code of a database error, undefined for any other. */
export function sqliteCodeOf(error: unknown): number | undefined {
  const code = property(error, 'errcode');
  return typeof code === 'number' ? code & 0xff : undefined;
}
