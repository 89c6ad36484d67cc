// The demo tenant: every kind of person and group that the rules speak of. Seeds the local directory and issuer.

export interface Person {
  id: string;
  displayName: string;
  /** Local part of the UPN; guests have an `#EXT#` UPN made from their mail. */
  userPrincipalName: string;
  mail: string | null;
  userType: 'Member' | 'Guest';
  accountEnabled: boolean;
  jobTitle: string | null;
  department: string | null;
  companyName: string | null;
  officeLocation: string | null;
  state: string | null;
  country: string | null;
  preferredLanguage: string | null;
  /** Alias of the manager. */
  manager?: string;
  /** App roles on the Gatehouse API, as Entra would put them into a person's token. */
  roles: string[];
}

export interface Group {
  id: string;
  displayName: string;
  description: string;
  mail: string | null;
  mailNickname: string;
  mailEnabled: boolean;
  securityEnabled: boolean;
  groupTypes: string[];
  membershipRule: string | null;
  membershipRuleProcessingState: string | null;
  onPremisesSyncEnabled: boolean | null;
  /** Only for synchronised groups: the cloud has taken over its management. */
  isCloudManaged: boolean;
  isAssignableToRole: boolean | null;
  isManagementRestricted: boolean | null;
  visibility: 'Public' | 'Private' | 'HiddenMembership' | null;
  /** Aliases of people, of groups (prefix `group:`) or of apps (prefix `app:`). */
  owners: string[];
  members: string[];
}

export interface App {
  /** Client id. */
  clientId: string;
  /** Object id of its service principal. */
  objectId: string;
  displayName: string;
  /** A demo secret of the local issuer; worth nothing anywhere else. */
  secret: string;
  /** App roles on the Gatehouse API. */
  roles: string[];
}

export const tenant = {
  id: '7e9a0000-0000-4000-8000-000000000001',
  displayName: 'Contoso',
  domain: 'contoso.example',
  /** Client id of the Gatehouse API registration; tokens for it carry `aud` = this or `api://` + this. */
  apiClientId: '7e9a0000-0000-4000-8000-0000000000a1',
  /** The managed identity that Gatehouse runs as. */
  identity: { clientId: '7e9a0000-0000-4000-8000-0000000000a2', objectId: '7e9a0000-0000-4000-8000-0000000000a3' },
} as const;
