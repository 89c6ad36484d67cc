import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { tenant } from '../demo-tenant';
import {
  applicationRead,
  groupCreate,
  groupWrite,
  may,
  memberWrite,
  need,
  roleAssignment,
  userReadAll,
} from './access';
import { namingPolicy } from './group-settings';
import { addReference, checkTarget, ownsGroup, referencedId, refuseUnwritable } from './group-references';
import { setExpiration } from './lifecycle';
import { isMailNickname, namingViolations } from './naming-policy';
import { badProperty, badRequest, conflict, denied, notFound, notImplemented } from './problems';
import type { GraphCall, GraphProblem } from './problems';
import { groupDefaults, isDynamic, isProperty, isUnified } from './properties';
import type { DirectoryObject, Group, GroupProperties } from './properties';
import type { Graph } from './query';

/** Owners and members that one request takes together. */
const REFERENCES_AT_ONCE = 20;

const text = (max: number) => z.string().max(max).regex(/\S/).nullable();

/** What a caller may write of a group. */
const writable = {
  displayName: z.string().max(256).regex(/\S/),
  description: text(1024),
  mailNickname: z.string().refine(isMailNickname),
  mailEnabled: z.boolean(),
  securityEnabled: z.boolean(),
  groupTypes: z.array(z.enum(['Unified', 'DynamicMembership'])),
  visibility: z.enum(['Public', 'Private', 'HiddenMembership']).nullable(),
  uniqueName: z.string().max(128).regex(/\S/).nullable(),
  isAssignableToRole: z.boolean().nullable(),
  classification: text(256),
  preferredLanguage: text(64),
  theme: text(64),
  membershipRule: text(3072),
  membershipRuleProcessingState: z.enum(['On', 'Paused']).nullable(),
  resourceBehaviorOptions: z.array(z.string()),
};
type Writable = { [Name in keyof typeof writable]?: z.output<(typeof writable)[Name]> };
const writableSchema = z.object(writable).partial();

/** A body of `POST /groups` or of a `PATCH`, its form checked. */
export interface GroupWrite {
  properties: Writable;
  owners: string[];
  members: string[];
}

const invalidValue = (name: string): GraphProblem =>
  badProperty(name, 'InvalidValue', `Invalid value specified for property '${name}' of resource 'Group'.`);

const edmTypes: Record<string, string> = {
  mailEnabled: 'Edm.Boolean',
  securityEnabled: 'Edm.Boolean',
  isAssignableToRole: 'Edm.Boolean',
  groupTypes: 'Collection(Edm.String)',
  resourceBehaviorOptions: 'Collection(Edm.String)',
};

function refusal(name: string, issue: z.core.$ZodIssue | undefined): GraphProblem {
  if (issue?.code !== 'invalid_type' || issue.path.length > 1) return invalidValue(name);
  return badRequest(
    `Cannot convert a primitive value to the expected type '${edmTypes[name] ?? 'Edm.String'}'. See the inner exception for more details.`,
  );
}

function references(body: Record<string, unknown>, name: string): string[] {
  const bound = body[`${name}@odata.bind`];
  if (bound === undefined) return [];
  const urls = z.array(z.string()).safeParse(bound);
  if (!urls.success) throw badRequest(`Invalid value specified for property '${name}@odata.bind' of resource 'Group'.`);
  const ids = urls.data.map(referencedId);
  if (new Set(ids).size < ids.length) throw badRequest('Request contains a property with duplicate values.');
  return ids;
}

/** Checks names, types and bounds of what a body says; throws what Graph answers to the first that is wrong. */
export function readGroupWrite(body: Record<string, unknown>): GroupWrite {
  const owners = references(body, 'owners');
  const members = references(body, 'members');
  if (owners.length + members.length > REFERENCES_AT_ONCE) {
    throw badRequest(`The number of references in the request exceeds the maximum of ${REFERENCES_AT_ONCE}.`);
  }
  const names = Object.keys(body).filter((name) => !name.includes('@'));
  for (const name of names) {
    if (name in writable) continue;
    throw isProperty(['group'], name)
      ? badRequest(`Property '${name}' is read-only and cannot be set.`)
      : badRequest(`Invalid property '${name}'.`);
  }
  const parsed = writableSchema.safeParse(Object.fromEntries(names.map((name) => [name, body[name]])));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusal(String(issue?.path[0]), issue);
  }
  return { properties: parsed.data, owners, members };
}

function required<Name extends keyof Writable>(write: Writable, name: Name): NonNullable<Writable[Name]> {
  const value = write[name];
  if (value === undefined || value === null) {
    throw badProperty(name, 'MissingValue', `A value is required for property '${name}' of resource 'Group'.`);
  }
  return value;
}

/** A security identifier is the object id, read as four numbers. */
function securityIdentifierOf(id: string): string {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  // The first three fields of a GUID are kept with their lowest byte first.
  const stored = Buffer.concat([
    bytes.subarray(0, 4).reverse(),
    bytes.subarray(4, 6).reverse(),
    bytes.subarray(6, 8).reverse(),
    bytes.subarray(8),
  ]);
  return `S-1-12-1-${[0, 4, 8, 12].map((at) => stored.readUInt32LE(at)).join('-')}`;
}

function checkKind(unified: boolean, write: Writable): void {
  const mailEnabled = required(write, 'mailEnabled');
  const securityEnabled = required(write, 'securityEnabled');
  if (unified && !mailEnabled) throw invalidValue('mailEnabled');
  if (!unified && mailEnabled) {
    throw badRequest('Cannot Create a mail-enabled security groups and or distribution list.');
  }
  if (!unified && !securityEnabled) {
    throw badRequest(
      'The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.',
    );
  }
}

/** Apps are no users: the attributes that the policy asks for are empty for them. */
function checkNaming(
  graph: Graph,
  names: { displayName?: string | undefined; mailNickname?: string | undefined },
): void {
  if (graph.store.settings().appsExemptFromNaming) return;
  const policy = namingPolicy(graph.store);
  const [violation] = namingViolations(
    policy,
    {
      ...(names.displayName !== undefined && { displayName: names.displayName }),
      ...(names.mailNickname !== undefined && { mailNickname: names.mailNickname }),
    },
    undefined,
  );
  if (violation === undefined) return;
  if (violation.code === 'ContainsBlockedWord') {
    throw badProperty(
      violation.target,
      violation.code,
      `The property contains a word that is blocked per your organization's Group naming requirements.`,
    );
  }
  throw badProperty(
    violation.target,
    violation.code,
    `The property is missing a required prefix/suffix per your organization's Group naming requirements.`,
    { suggestedPropertyValue: `${violation.prefix}${names[violation.target] ?? ''}${violation.suffix}` },
  );
}

/** Mail nicknames are unique among what has mail; those of security groups may repeat. */
export const isNicknameTaken = (graph: Graph, mailNickname: string, exceptId?: string): boolean =>
  graph.store.mailGroups(mailNickname).some((id) => id !== exceptId);

function checkMailFree(graph: Graph, mailNickname: string, exceptId?: string): void {
  if (isNicknameTaken(graph, mailNickname, exceptId)) throw conflict('mailNickname');
  if (graph.store.hasUserWithMail(`${mailNickname}@${tenant.domain}`)) throw conflict('proxyAddresses');
}

/** With `Group.Create` alone an app can bind only itself and objects of a type that it may read. */
function checkMayBind(c: GraphCall, target: DirectoryObject): void {
  if (may(c, groupWrite) || target.properties.id === c.get('claims').oid) return;
  switch (target.type) {
    case 'user':
      need(c, userReadAll);
      return;
    case 'servicePrincipal':
      need(c, applicationRead);
      return;
    case 'group':
      need(c, groupWrite);
  }
}

function bindAll(c: GraphCall, graph: Graph, group: Group, { owners, members }: GroupWrite): void {
  const { store } = graph;
  const bound = [
    ...owners.map((id) => ({ id, kind: 'owner' as const })),
    ...members.map((id) => ({ id, kind: 'member' as const })),
  ];
  for (const { id, kind } of bound) {
    const target = store.find(id, 'now');
    if (target === undefined || store.isFresh(target)) throw notFound(id);
    checkMayBind(c, target);
    checkTarget(group, target, kind);
    store.addLink(kind, group.properties.id, id);
  }
}

/** Creates a group with its owners and members, or throws what Graph answers and creates nothing. */
export function createGroup(c: GraphCall, graph: Graph, write: GroupWrite): Group {
  need(c, groupCreate);
  const { properties } = write;
  const groupTypes = properties.groupTypes ?? [];
  const unified = groupTypes.includes('Unified');
  const displayName = required(properties, 'displayName');
  const mailNickname = required(properties, 'mailNickname');
  checkKind(unified, properties);
  if (groupTypes.includes('DynamicMembership')) throw notImplemented('creating a group of dynamic membership');
  if (properties.isAssignableToRole === true) need(c, roleAssignment);
  if (properties.visibility === 'HiddenMembership' && !unified) throw invalidValue('visibility');
  if (unified) {
    checkNaming(graph, { displayName, mailNickname });
    checkMailFree(graph, mailNickname);
  }
  if (typeof properties.uniqueName === 'string' && graph.store.hasUniqueName(properties.uniqueName)) {
    throw conflict('uniqueName');
  }

  const id = randomUUID();
  const now = new Date().toISOString();
  const mail = unified ? `${mailNickname}@${tenant.domain}` : null;
  const created: GroupProperties = {
    ...groupDefaults,
    visibility: unified ? 'Public' : null,
    ...properties,
    id,
    displayName,
    mailNickname,
    groupTypes,
    mail,
    proxyAddresses: mail === null ? [] : [`SMTP:${mail}`],
    securityIdentifier: securityIdentifierOf(id),
    createdDateTime: now,
    renewedDateTime: now,
  };
  const { store } = graph;
  store.insert({ type: 'group', properties: created });
  const group = store.findGroup(id, 'now');
  if (group === undefined) throw new Error(`The group ${id} was not kept.`);
  bindAll(c, graph, group, write);
  setExpiration(store, group);
  return store.findGroup(id, 'now') ?? group;
}

/** Properties that keep the value they were created with; saying it again is no change. */
const fixed = ['mailEnabled', 'groupTypes', 'isAssignableToRole', 'membershipRule'] as const;

function checkFixed(group: Group, write: Writable): void {
  for (const name of fixed) {
    const wanted = write[name];
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(group.properties[name])) continue;
    if (name === 'groupTypes' || name === 'membershipRule') throw notImplemented(`changing a group's ${name}`);
    throw badRequest(`Property '${name}' is read-only and cannot be set.`);
  }
  const { uniqueName, visibility } = write;
  const unique = group.properties.uniqueName;
  if (uniqueName !== undefined && unique !== null && uniqueName?.toLowerCase() !== unique.toLowerCase()) {
    throw badProperty('uniqueName', 'InvalidValue', `Property 'uniqueName' cannot be changed once it is set.`);
  }
  const hidden = group.properties.visibility === 'HiddenMembership';
  if (visibility !== undefined && hidden !== (visibility === 'HiddenMembership')) throw invalidValue('visibility');
  if (write.securityEnabled === false && !isUnified(group)) throw invalidValue('securityEnabled');
}

function checkMayUpdate(c: GraphCall, graph: Graph, group: Group, write: GroupWrite): void {
  if (ownsGroup(c, graph, group)) return;
  const onlyMembers = Object.keys(write.properties).length === 0 && write.owners.length === 0;
  need(c, onlyMembers && write.members.length > 0 ? memberWrite : groupWrite);
}

function changed<Value>(before: Value, after: Value | undefined): Value | undefined {
  return after === before ? undefined : after;
}

/** Changes a group, all that the body says or nothing; members and owners that it binds are added. */
export function updateGroup(c: GraphCall, graph: Graph, group: Group, write: GroupWrite): void {
  checkMayUpdate(c, graph, group, write);
  refuseUnwritable(c, group);
  const { store } = graph;
  if (store.isFresh(group)) throw notFound(group.properties.id);
  if (write.members.length > 0 && isDynamic(group)) throw denied();
  checkFixed(group, write.properties);
  const displayName = changed(group.properties.displayName, write.properties.displayName);
  const mailNickname = changed(group.properties.mailNickname, write.properties.mailNickname);
  if (isUnified(group)) {
    checkNaming(graph, { displayName, mailNickname });
    if (mailNickname !== undefined) checkMailFree(graph, mailNickname, group.properties.id);
  }
  const uniqueName = changed(group.properties.uniqueName, write.properties.uniqueName);
  if (typeof uniqueName === 'string' && group.properties.uniqueName === null && store.hasUniqueName(uniqueName)) {
    throw conflict('uniqueName');
  }
  if (Object.keys(write.properties).length > 0) {
    const kept = group.properties.uniqueName ?? write.properties.uniqueName ?? null;
    store.replace({ type: 'group', properties: { ...group.properties, ...write.properties, uniqueName: kept } });
  }
  for (const id of write.owners) addReference(graph, group, id, 'owner');
  for (const id of write.members) addReference(graph, group, id, 'member');
}
