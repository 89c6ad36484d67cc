import { z } from 'zod';

const text = z.string().nullable();
const flag = z.boolean().nullable();
const texts = z.array(z.string());

/** What the directory keeps of a user. */
export const userSchema = z.strictObject({
  id: z.guid(),
  displayName: z.string().min(1).max(256),
  givenName: text,
  surname: text,
  userPrincipalName: z.string().min(3),
  mail: text,
  mailNickname: text,
  otherMails: texts,
  userType: z.enum(['Member', 'Guest']),
  accountEnabled: z.boolean(),
  jobTitle: text,
  department: text,
  companyName: text,
  officeLocation: text,
  city: text,
  state: text,
  country: text,
  usageLocation: text,
  employeeId: text,
  preferredLanguage: text,
  businessPhones: texts,
  mobilePhone: text,
  onPremisesSyncEnabled: flag,
  createdDateTime: text,
});
export type UserProperties = z.infer<typeof userSchema>;

/** What the directory keeps of a group; `isCloudManaged` is shown by `onPremisesSyncBehavior` only. */
export const groupSchema = z.strictObject({
  id: z.guid(),
  displayName: z.string().min(1).max(256),
  description: text,
  classification: text,
  mail: text,
  mailNickname: z.string().min(1).max(64),
  mailEnabled: z.boolean(),
  securityEnabled: z.boolean(),
  securityIdentifier: text,
  groupTypes: texts,
  membershipRule: text,
  membershipRuleProcessingState: text,
  onPremisesSyncEnabled: flag,
  onPremisesLastSyncDateTime: text,
  isCloudManaged: z.boolean(),
  isAssignableToRole: flag,
  isManagementRestricted: flag,
  visibility: z.enum(['Public', 'Private', 'HiddenMembership']).nullable(),
  resourceProvisioningOptions: texts,
  resourceBehaviorOptions: texts,
  proxyAddresses: texts,
  preferredLanguage: text,
  theme: text,
  uniqueName: text,
  createdDateTime: text,
  renewedDateTime: text,
  expirationDateTime: text,
});
export type GroupProperties = z.infer<typeof groupSchema>;

/** What the directory keeps of an app's service principal. */
export const servicePrincipalSchema = z.strictObject({
  id: z.guid(),
  appId: z.guid(),
  displayName: z.string(),
  appDisplayName: z.string(),
  accountEnabled: z.boolean(),
  servicePrincipalType: z.enum(['Application', 'ManagedIdentity']),
});
export type ServicePrincipalProperties = z.infer<typeof servicePrincipalSchema>;

interface Kept {
  createdAt: number;
  /** When it was soft-deleted, in milliseconds. */
  deletedAt: number | null;
}
export type User = Kept & { type: 'user'; properties: UserProperties };
export type Group = Kept & { type: 'group'; properties: GroupProperties };
export type ServicePrincipal = Kept & { type: 'servicePrincipal'; properties: ServicePrincipalProperties };
export type DirectoryObject = User | Group | ServicePrincipal;
export type ObjectType = DirectoryObject['type'];

export const userDefaults: Omit<UserProperties, 'id' | 'displayName' | 'userPrincipalName'> = {
  givenName: null,
  surname: null,
  mail: null,
  mailNickname: null,
  otherMails: [],
  userType: 'Member',
  accountEnabled: true,
  jobTitle: null,
  department: null,
  companyName: null,
  officeLocation: null,
  city: null,
  state: null,
  country: null,
  usageLocation: null,
  employeeId: null,
  preferredLanguage: null,
  businessPhones: [],
  mobilePhone: null,
  onPremisesSyncEnabled: null,
  createdDateTime: null,
};

export const groupDefaults: Omit<GroupProperties, 'id' | 'displayName' | 'mailNickname'> = {
  description: null,
  classification: null,
  mail: null,
  mailEnabled: false,
  securityEnabled: true,
  securityIdentifier: null,
  groupTypes: [],
  membershipRule: null,
  membershipRuleProcessingState: null,
  onPremisesSyncEnabled: null,
  onPremisesLastSyncDateTime: null,
  isCloudManaged: false,
  isAssignableToRole: null,
  isManagementRestricted: null,
  visibility: null,
  resourceProvisioningOptions: [],
  resourceBehaviorOptions: [],
  proxyAddresses: [],
  preferredLanguage: null,
  theme: null,
  uniqueName: null,
  createdDateTime: null,
  renewedDateTime: null,
  expirationDateTime: null,
};

const without = (schema: z.ZodObject, ...hidden: string[]): string[] =>
  Object.keys(schema.shape).filter((name) => !hidden.includes(name));

const selectable: Record<ObjectType, ReadonlySet<string>> = {
  user: new Set([...without(userSchema), 'deletedDateTime']),
  group: new Set([...without(groupSchema, 'isCloudManaged'), 'deletedDateTime']),
  servicePrincipal: new Set([...without(servicePrincipalSchema), 'deletedDateTime']),
};

const returnedByDefault: Record<ObjectType, readonly string[]> = {
  user: [
    'businessPhones',
    'displayName',
    'givenName',
    'jobTitle',
    'mail',
    'mobilePhone',
    'officeLocation',
    'preferredLanguage',
    'surname',
    'userPrincipalName',
    'id',
  ],
  group: [...selectable.group].filter(
    (name) => !['isAssignableToRole', 'isManagementRestricted', 'uniqueName'].includes(name),
  ),
  servicePrincipal: [...selectable.servicePrincipal],
};

/** What `User.ReadBasic.All` lets an app read of a user. */
export const basicUserProperties: ReadonlySet<string> = new Set([
  'id',
  'displayName',
  'givenName',
  'surname',
  'mail',
  'userPrincipalName',
]);

/** Whether `name` can stand in `$select` for one of these types. */
export function isProperty(types: readonly ObjectType[], name: string): boolean {
  return types.some((type) => selectable[type].has(name));
}

/** The object as JSON: the selected properties that its type has, or the ones that come without `$select`. */
export function project(object: DirectoryObject, select: readonly string[] | undefined): Record<string, unknown> {
  const values: Record<string, unknown> = {
    ...object.properties,
    deletedDateTime: object.deletedAt === null ? null : new Date(object.deletedAt).toISOString(),
  };
  const names = select ?? returnedByDefault[object.type];
  return Object.fromEntries(
    names.filter((name) => selectable[object.type].has(name)).map((name) => [name, values[name] ?? null]),
  );
}

export const isUnified = (group: Group): boolean => group.properties.groupTypes.includes('Unified');
export const isDynamic = (group: Group): boolean => group.properties.groupTypes.includes('DynamicMembership');
/** Mastered on premises, so that Graph refuses to change it. */
export const isMasteredOnPremises = (group: Group): boolean =>
  group.properties.onPremisesSyncEnabled === true && !group.properties.isCloudManaged;
