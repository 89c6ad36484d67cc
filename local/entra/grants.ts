import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { hashOf, randomToken } from './state';

/** What a person signed in for, until the client has collected its tokens. */
const grantSchema = z.object({
  clientId: z.string(),
  person: z.string(),
  scope: z.string(),
  redirectUri: z.string().optional(),
  nonce: z.string().optional(),
  challenge: z.string().optional(),
});
export type Grant = z.output<typeof grantSchema>;

const deviceGrantSchema = grantSchema.omit({ person: true });
export type DeviceRequest = z.output<typeof deviceGrantSchema>;

export type CodeRedemption = { kind: 'redeemed'; grant: Grant } | { kind: 'used' | 'expired' | 'unknown' };
export type DevicePoll =
  { kind: 'signed-in'; grant: Grant } | { kind: 'pending' | 'declined' | 'expired' | 'unknown' | 'other-client' };

/** Seconds that a device code lives. */
export const DEVICE_CODE_SECONDS = 900;

const CODE_MS = 10 * 60_000;
const REFRESH_MS = 90 * 24 * 3_600_000;
/** Without vowels and look-alikes. */
const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** Codes and refresh tokens; only their hashes are kept. */
export interface Grants {
  makeCode(grant: Grant): string;
  /** A code works once. */
  redeemCode(code: string): CodeRedemption;
  makeRefreshToken(grant: Grant): string;
  findRefreshToken(token: string): Grant | undefined;
  makeDeviceCode(request: DeviceRequest): { deviceCode: string; userCode: string };
  findUserCode(userCode: string): DeviceRequest | undefined;
  decideDevice(userCode: string, person: string | undefined): boolean;
  pollDevice(deviceCode: string, clientId: string): DevicePoll;
}

const codeRow = z.object({ grant_json: z.string(), expires_at: z.number() });
const deviceRow = codeRow.extend({
  person: z.string().nullable(),
  outcome: z.enum(['pending', 'signed-in', 'declined']),
});

const parseGrant = (text: string): Grant => grantSchema.parse(JSON.parse(text));
const parseDevice = (text: string): DeviceRequest => deviceGrantSchema.parse(JSON.parse(text));

function makeUserCode(): string {
  return Array.from({ length: 9 }, () => USER_CODE_LETTERS.charAt(randomInt(USER_CODE_LETTERS.length))).join('');
}

/** The grants kept in `db`. */
export function createGrants(db: DatabaseSync): Grants {
  const insertCode = db.prepare('INSERT INTO codes (hash, grant_json, expires_at) VALUES (?, ?, ?)');
  const useCode = db.prepare(
    'UPDATE codes SET redeemed = 1 WHERE hash = ? AND redeemed = 0 RETURNING grant_json, expires_at',
  );
  const codeExists = db.prepare('SELECT 1 FROM codes WHERE hash = ?');
  const insertRefresh = db.prepare('INSERT INTO refresh_tokens VALUES (?, ?, ?)');
  const findRefresh = db.prepare('SELECT grant_json, expires_at FROM refresh_tokens WHERE hash = ?');
  const insertDevice = db.prepare(
    'INSERT INTO device_codes (hash, user_code, grant_json, expires_at) VALUES (?, ?, ?, ?)',
  );
  const findUser = db.prepare(
    "SELECT grant_json, expires_at FROM device_codes WHERE user_code = ? AND outcome = 'pending'",
  );
  const decide = db.prepare(
    "UPDATE device_codes SET outcome = ?, person = ? WHERE user_code = ? AND outcome = 'pending' AND expires_at > ?",
  );
  const findDevice = db.prepare('SELECT grant_json, expires_at, person, outcome FROM device_codes WHERE hash = ?');
  const deleteDevice = db.prepare('DELETE FROM device_codes WHERE hash = ?');
  // Used codes are kept for a day, so that a replay is told apart from a code that never was.
  const sweep = (): void => {
    const now = Date.now();
    db.prepare('DELETE FROM codes WHERE expires_at < ?').run(now - 24 * 3_600_000);
    db.prepare('DELETE FROM refresh_tokens WHERE expires_at < ?').run(now);
    db.prepare('DELETE FROM device_codes WHERE expires_at < ?').run(now - 24 * 3_600_000);
  };

  return {
    makeCode: (grant) => {
      sweep();
      const code = `1.${randomToken()}`;
      insertCode.run(hashOf(code), JSON.stringify(grant), Date.now() + CODE_MS);
      return code;
    },
    redeemCode: (code) => {
      const row = useCode.get(hashOf(code));
      if (row === undefined) return { kind: codeExists.get(hashOf(code)) === undefined ? 'unknown' : 'used' };
      const { grant_json, expires_at } = codeRow.parse(row);
      return expires_at <= Date.now() ? { kind: 'expired' } : { kind: 'redeemed', grant: parseGrant(grant_json) };
    },
    makeRefreshToken: (grant) => {
      const token = `1.${randomToken()}${randomToken()}`;
      insertRefresh.run(hashOf(token), JSON.stringify(grant), Date.now() + REFRESH_MS);
      return token;
    },
    findRefreshToken: (token) => {
      const row = codeRow.safeParse(findRefresh.get(hashOf(token)));
      return row.success && row.data.expires_at > Date.now() ? parseGrant(row.data.grant_json) : undefined;
    },
    makeDeviceCode: (request) => {
      sweep();
      const deviceCode = randomToken();
      const userCode = makeUserCode();
      const expiresAt = Date.now() + DEVICE_CODE_SECONDS * 1000;
      insertDevice.run(hashOf(deviceCode), userCode, JSON.stringify(request), expiresAt);
      return { deviceCode, userCode };
    },
    findUserCode: (userCode) => {
      const row = codeRow.safeParse(findUser.get(userCode));
      return row.success && row.data.expires_at > Date.now() ? parseDevice(row.data.grant_json) : undefined;
    },
    decideDevice: (userCode, person) => {
      const outcome = person === undefined ? 'declined' : 'signed-in';
      return decide.run(outcome, person ?? null, userCode, Date.now()).changes === 1;
    },
    pollDevice: (deviceCode, clientId) => {
      const row = deviceRow.safeParse(findDevice.get(hashOf(deviceCode)));
      if (!row.success) return { kind: 'unknown' };
      const request = parseDevice(row.data.grant_json);
      if (request.clientId !== clientId) return { kind: 'other-client' };
      if (row.data.expires_at <= Date.now()) return { kind: 'expired' };
      if (row.data.outcome === 'declined') return { kind: 'declined' };
      if (row.data.person === null) return { kind: 'pending' };
      deleteDevice.run(hashOf(deviceCode));
      return { kind: 'signed-in', grant: { ...request, person: row.data.person } };
    },
  };
}
