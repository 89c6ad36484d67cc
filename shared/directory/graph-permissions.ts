/** Application permissions on Microsoft Graph without which nobody can join a group (docs/graph-permissions.md). */
export const NEEDED = ['GroupMember.ReadWrite.All', 'User.Read.All'] as const;

/** What each feature needs besides: off until it is granted, and where `GRAPH_PERMISSIONS` is `strict`. */
export const FEATURES = { 'own-groups': 'Group.ReadWrite.All', naming: 'GroupSettings.Read.All' } as const;
export type Feature = keyof typeof FEATURES;

/** To see who is in groups with hidden membership. */
export const HIDDEN_MEMBERS = 'Member.Read.Hidden';
/** To know of a synchronised group whether the cloud manages it. */
export const SYNC_BEHAVIOUR = 'Group-OnPremisesSyncBehavior.ReadWrite.All';

/** What single features use besides; without it they are off. */
export const OPTIONAL = [HIDDEN_MEMBERS, SYNC_BEHAVIOUR, ...Object.values(FEATURES)] as const;

export interface GraphPermissions {
  missing: string[];
  /** What the identity can do and Gatehouse never does: a door that is open for nothing. */
  excessive: string[];
}

/** Compares what the identity was granted with what Gatehouse uses. With `strict`, what single features use is too much as well. */
export function compare(granted: readonly string[], strict: boolean): GraphPermissions {
  const used: readonly string[] = strict ? NEEDED : [...NEEDED, ...OPTIONAL];
  return {
    missing: NEEDED.filter((name) => !granted.includes(name)),
    excessive: granted.filter((name) => !used.includes(name)).toSorted(),
  };
}

/**
 * The app roles in the identity's own token. It is read, not trusted: Graph decides what it allows. A token that is no JWT names none,
 * which `undefined` tells.
 */
export function rolesIn(token: string): string[] | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as unknown;
    const roles = typeof payload === 'object' && payload !== null && 'roles' in payload ? payload.roles : [];
    return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : undefined;
  } catch {
    return undefined;
  }
}
