import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** `active` signs; `published` no longer signs and is still in the JWKS; `removed` is in it no more. */
export type KeyStatus = 'active' | 'published' | 'removed';

export interface SigningKey {
  kid: string;
  status: KeyStatus;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export type Removal = 'removed' | 'is-active' | 'unknown';

/** The issuer's signing keys. */
export interface Keys {
  active(): SigningKey;
  /** The key that signed before the active one, in the JWKS or not. */
  previous(): SigningKey | undefined;
  /** A published key, for checking signatures. */
  published(kid: string | undefined): SigningKey | undefined;
  /** All keys ever made, newest first. */
  all(): SigningKey[];
  /** Makes a new active key; the old one stays in the JWKS. */
  rotate(): SigningKey;
  /** Takes an old key out of the JWKS. */
  remove(kid: string): Removal;
  /** The key set as Entra publishes it: without `alg`. */
  jwks(issuer: string): { keys: Record<string, unknown>[] };
}

const rowSchema = z.object({
  kid: z.string(),
  private_pem: z.string(),
  status: z.enum(['active', 'published', 'removed']),
});

const COLUMNS = 'SELECT kid, private_pem, status FROM keys';

/** A fresh RSA key, as Entra signs with. */
export const makeRsaKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

function kidOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(der).digest('base64url');
}

/** Opens the keys kept in `db`, which other processes may have open too; the first is made where there is none. */
export function openKeys(db: DatabaseSync): Keys {
  const parsed = new Map<string, Pick<SigningKey, 'privateKey' | 'publicKey'>>();
  const toKey = (row: unknown): SigningKey => {
    const { kid, private_pem, status } = rowSchema.parse(row);
    let pair = parsed.get(kid);
    if (pair === undefined) {
      const privateKey = createPrivateKey(private_pem);
      pair = { privateKey, publicKey: createPublicKey(privateKey) };
      parsed.set(kid, pair);
    }
    return { kid, status, ...pair };
  };
  const all = (): SigningKey[] => db.prepare(`${COLUMNS} ORDER BY rowid DESC`).all().map(toKey);
  const activeRow = (): unknown => db.prepare(`${COLUMNS} WHERE status = 'active'`).get();

  /** With `onlyFirst` nothing happens where a key is active already. */
  const addKey = (onlyFirst: boolean): void => {
    const privateKey = makeRsaKey();
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    db.exec('BEGIN IMMEDIATE');
    try {
      if (!onlyFirst || activeRow() === undefined) {
        db.exec("UPDATE keys SET status = 'published' WHERE status = 'active'");
        db.prepare("INSERT INTO keys VALUES (?, ?, 'active', ?)").run(kidOf(privateKey), pem, Date.now());
      }
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };
  if (activeRow() === undefined) addKey(true);

  return {
    all,
    active: () => toKey(activeRow()),
    rotate: () => {
      addKey(false);
      return toKey(activeRow());
    },
    previous: () => all().find((key) => key.status !== 'active'),
    published: (kid) => all().find((key) => key.kid === kid && key.status !== 'removed'),
    remove: (kid) => {
      const key = all().find((each) => each.kid === kid);
      if (key === undefined) return 'unknown';
      if (key.status === 'active') return 'is-active';
      db.prepare("UPDATE keys SET status = 'removed' WHERE kid = ? AND status = 'published'").run(kid);
      return 'removed';
    },
    jwks: (issuer) => ({
      keys: all()
        .filter((key) => key.status !== 'removed')
        .map((key) => {
          const { n, e } = key.publicKey.export({ format: 'jwk' });
          return { kty: 'RSA', use: 'sig', kid: key.kid, n, e, issuer };
        }),
    }),
  };
}
