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
  otherMails?: string[];
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
  /** What else stands behind a Microsoft 365 group, such as `Team`. */
  resourceProvisioningOptions?: string[];
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

/** Event Grid's service principal, which brings mail delivery reports to the webhook; its app id is the same in every tenant. */
export const eventGrid = {
  clientId: '4962773b-9cdb-44cf-a8bf-237846a00ab7',
  objectId: '7e9a0000-0000-4000-8000-0000000000a6',
  /** The app role on the Gatehouse API that a webhook asks of it. */
  role: 'AzureEventGridSecureWebhookSubscriber',
} as const;

type PersonDetails = Partial<Omit<Person, 'id' | 'displayName' | 'userPrincipalName'>>;

const number = (n: number): string => String(n).padStart(12, '0');

function person(n: number, userPrincipalName: string, displayName: string, details: PersonDetails): Person {
  return {
    id: `a0000000-0000-4000-8000-${number(n)}`,
    displayName,
    userPrincipalName,
    mail: `${userPrincipalName}@${tenant.domain}`,
    userType: 'Member',
    accountEnabled: true,
    jobTitle: null,
    department: null,
    companyName: tenant.displayName,
    officeLocation: null,
    state: null,
    country: null,
    preferredLanguage: null,
    roles: [],
    ...details,
  };
}

const guest = (mail: string, details: PersonDetails): PersonDetails => ({
  ...details,
  mail,
  otherMails: [mail],
  userType: 'Guest',
});

const peopleByAlias = {
  /** Owns most groups. */
  olivia: person(1, 'olivia', 'Olivia Okafor', {
    jobTitle: 'Head of Design',
    department: 'Design',
    officeLocation: 'Lagos 4/12',
    state: 'Lagos',
    country: 'Nigeria',
    preferredLanguage: 'en-GB',
    manager: 'adele',
  }),
  /** Second owner. */
  omar: person(2, 'omar', 'Omar Haddad', {
    jobTitle: 'Finance Director',
    department: 'Finance',
    officeLocation: 'Amman 2',
    country: 'Jordan',
    preferredLanguage: 'en-US',
    manager: 'adele',
  }),
  /** Asks to join. */
  rita: person(3, 'rita', 'Rita Lindqvist', {
    jobTitle: 'Product Designer',
    department: 'Design',
    officeLocation: 'Stockholm 3',
    state: 'Stockholm',
    country: 'Sweden',
    preferredLanguage: 'sv-SE',
    manager: 'mona',
  }),
  /** Asks to join, too. */
  ravi: person(4, 'ravi', 'Ravi Subramanian', {
    jobTitle: 'Software Engineer',
    department: 'Engineering',
    officeLocation: 'Chennai 8',
    state: 'Tamil Nadu',
    country: 'India',
    preferredLanguage: 'en-IN',
    manager: 'mona',
  }),
  /** Manager of rita and ravi. */
  mona: person(5, 'mona', 'Mona Larsen', {
    jobTitle: 'Product Manager',
    department: 'Product',
    officeLocation: 'Oslo 1',
    country: 'Norway',
    preferredLanguage: 'nb-NO',
    manager: 'adele',
  }),
  /** Operations. */
  otto: person(6, 'otto', 'Otto Brandt', {
    jobTitle: 'Operations Engineer',
    department: 'IT',
    officeLocation: 'Hamburg 5',
    state: 'Hamburg',
    country: 'Germany',
    preferredLanguage: 'de-DE',
    manager: 'adele',
    roles: ['Operations.Manage'],
  }),
  /** Administrator of the policies. */
  adele: person(7, 'adele', 'Adele Vance', {
    jobTitle: 'Identity Architect',
    department: 'IT',
    officeLocation: 'Seattle 18/2111',
    state: 'Washington',
    country: 'United States',
    preferredLanguage: 'en-US',
    roles: ['Policy.Manage'],
  }),
  /** Auditor. */
  aude: person(8, 'aude', 'Aude Moreau', {
    jobTitle: 'Internal Auditor',
    department: 'Audit',
    officeLocation: 'Lyon 2',
    country: 'France',
    preferredLanguage: 'fr-FR',
    manager: 'adele',
    roles: ['Audit.Read'],
  }),
  /** Fallback approver. */
  frank: person(9, 'frank', 'Frank Adeyemi', {
    jobTitle: 'Service Desk Lead',
    department: 'IT',
    officeLocation: 'London 6',
    country: 'United Kingdom',
    preferredLanguage: 'en-GB',
    manager: 'adele',
  }),
  /** Fallback approver. */
  fiona: person(10, 'fiona', 'Fiona Gallagher', {
    jobTitle: 'Identity Administrator',
    department: 'IT',
    officeLocation: 'Dublin 1',
    country: 'Ireland',
    preferredLanguage: 'en-IE',
    manager: 'adele',
  }),
  /** Guest who asks to join. */
  gus: person(
    11,
    'gus_fabrikam.example#EXT#',
    'Gus Petrov (Fabrikam)',
    guest('gus@fabrikam.example', { jobTitle: 'Consultant', companyName: 'Fabrikam', preferredLanguage: 'en-US' }),
  ),
  /** Guest who owns a group. */
  guido: person(
    12,
    'guido_northwind.example#EXT#',
    'Guido Conti (Northwind)',
    guest('guido@northwind.example', {
      jobTitle: 'Partner Manager',
      companyName: 'Northwind',
      country: 'Italy',
      preferredLanguage: 'it-IT',
    }),
  ),
  /** Account disabled. */
  dana: person(13, 'dana', 'Dana Kowalska', {
    accountEnabled: false,
    jobTitle: 'Copywriter',
    department: 'Marketing',
    country: 'Poland',
    preferredLanguage: 'pl-PL',
    manager: 'sofia',
  }),
  /** Owner whose account is disabled. */
  dora: person(14, 'dora', 'Dóra Szabó', {
    accountEnabled: false,
    jobTitle: 'Programme Lead',
    department: 'Research',
    country: 'Hungary',
    preferredLanguage: 'hu-HU',
  }),
  /** Owner without a mailbox. */
  nora: person(15, 'nora', 'Nora Dahl', {
    mail: null,
    jobTitle: 'Plant Supervisor',
    department: 'Manufacturing',
    officeLocation: 'Bergen, hall 3',
    country: 'Norway',
    preferredLanguage: 'nn-NO',
  }),
  /** A name that must be escaped wherever it is shown. */
  hugo: person(16, 'hugo', `Hugo "<b>O'Hara</b>" & Söhne`, {
    jobTitle: '<img src=x onerror=alert(1)>',
    department: `R&D "Tools" <x>`,
    country: 'Germany',
    preferredLanguage: 'de-AT',
  }),
  /** A right-to-left name that holds a right-to-left override as well. */
  bidi: person(17, 'bidi', 'ליאור \u202Eכהן Levi', {
    jobTitle: 'Data Analyst',
    department: 'Research',
    officeLocation: 'תל אביב 7',
    country: 'Israel',
    preferredLanguage: 'he-IL',
    manager: 'amara',
  }),
  maja: person(18, 'maja', 'Maja Nowak', {
    jobTitle: 'Illustrator',
    department: 'Design',
    country: 'Poland',
    preferredLanguage: 'pl-PL',
    manager: 'olivia',
  }),
  chen: person(19, 'chen', '陈伟 (Chen Wei)', {
    jobTitle: 'Interaction Designer',
    department: 'Design',
    officeLocation: 'Shanghai 21',
    country: 'China',
    preferredLanguage: 'zh-CN',
    manager: 'olivia',
  }),
  priya: person(20, 'priya', 'Priya Sharma', {
    jobTitle: 'Design Researcher',
    department: 'Design',
    country: 'India',
    preferredLanguage: 'hi-IN',
    manager: 'olivia',
  }),
  lars: person(21, 'lars', 'Lars Jørgensen', {
    jobTitle: 'Accountant',
    department: 'Finance',
    country: 'Denmark',
    preferredLanguage: 'da-DK',
    manager: 'omar',
  }),
  amara: person(22, 'amara', 'Amara Nwosu', {
    jobTitle: 'Research Director',
    department: 'Research',
    country: 'Nigeria',
    preferredLanguage: 'en-GB',
    manager: 'adele',
  }),
  sofia: person(23, 'sofia', 'Sofía Hernández Ruiz', {
    jobTitle: 'Head of Marketing',
    department: 'Marketing',
    state: 'Jalisco',
    country: 'Mexico',
    preferredLanguage: 'es-MX',
    manager: 'adele',
  }),
  kenji: person(24, 'kenji', '佐藤 健二', {
    jobTitle: 'Controller',
    department: 'Finance',
    officeLocation: '東京 14',
    country: 'Japan',
    preferredLanguage: 'ja-JP',
    manager: 'omar',
  }),
  zoe: person(25, 'zoe', 'Zoë van den Berg', {
    jobTitle: 'Brand Manager',
    department: 'Marketing',
    country: 'Netherlands',
    preferredLanguage: 'nl-NL',
    manager: 'sofia',
  }),
  tomas: person(26, 'tomas', 'Tomáš Dvořák', {
    jobTitle: 'Site Reliability Engineer',
    department: 'Engineering',
    country: 'Czechia',
    preferredLanguage: 'cs-CZ',
    manager: 'mona',
  }),
  ines: person(27, 'ines', 'Inês Carvalho', {
    jobTitle: 'Legal Counsel',
    department: 'Legal',
    country: 'Portugal',
    preferredLanguage: 'pt-PT',
    manager: 'aude',
  }),
  yusuf: person(28, 'yusuf', 'Yusuf Demir', {
    jobTitle: 'Principal Scientist',
    department: 'Research',
    state: 'İzmir',
    country: 'Türkiye',
    preferredLanguage: 'tr-TR',
    manager: 'amara',
  }),
  anika: person(29, 'anika', 'Anika Schröder', {
    jobTitle: 'Compliance Officer',
    department: 'Legal',
    country: 'Germany',
    preferredLanguage: 'de-DE',
    manager: 'aude',
  }),
  pierre: person(30, 'pierre', 'Pierre Lefèvre', {
    jobTitle: 'Event Manager',
    department: 'Marketing',
    country: 'France',
    preferredLanguage: 'fr-FR',
    manager: 'sofia',
  }),
  leilani: person(31, 'leilani', 'Leilani Kealoha', {
    jobTitle: 'Support Engineer',
    department: 'IT',
    state: 'Hawaiʻi',
    country: 'United States',
    preferredLanguage: 'en-US',
    manager: 'frank',
  }),
  siobhan: person(32, 'siobhan', 'Siobhán Ní Bhriain', {
    jobTitle: 'Technical Writer',
    department: 'Engineering',
    country: 'Ireland',
    preferredLanguage: 'ga-IE',
    manager: 'mona',
  }),
  minh: person(33, 'minh', 'Nguyễn Thị Minh', {
    jobTitle: 'Test Engineer',
    department: 'Engineering',
    country: 'Vietnam',
    preferredLanguage: 'vi-VN',
    manager: 'mona',
  }),
  elena: person(34, 'elena', 'Елена Соколова', {
    jobTitle: 'Statistician',
    department: 'Research',
    country: 'Bulgaria',
    preferredLanguage: 'bg-BG',
    manager: 'amara',
  }),
  jun: person(35, 'jun', '박준 (Jun Park)', {
    jobTitle: 'Hardware Engineer',
    department: 'Engineering',
    country: 'Korea',
    preferredLanguage: 'ko-KR',
    manager: 'mona',
  }),
  thabo: person(36, 'thabo', 'Thabo Mokoena', {
    jobTitle: 'Procurement Specialist',
    department: 'Finance',
    country: 'South Africa',
    preferredLanguage: 'en-ZA',
    manager: 'omar',
  }),
  aroha: person(37, 'aroha', 'Aroha Ngata', {
    jobTitle: 'People Partner',
    department: 'People',
    country: 'New Zealand',
    preferredLanguage: 'en-NZ',
    manager: 'adele',
  }),
  mateus: person(38, 'mateus', 'Mateus de Oliveira', {
    jobTitle: 'Sales Engineer',
    department: 'Sales',
    country: 'Brazil',
    preferredLanguage: 'pt-BR',
    manager: 'sofia',
  }),
  noor: person(39, 'noor', 'نور الراشد', {
    jobTitle: 'Account Executive',
    department: 'Sales',
    country: 'United Arab Emirates',
    preferredLanguage: 'ar-AE',
    manager: 'sofia',
  }),
  ada: person(40, 'ada', 'Ada Kovač', {
    jobTitle: 'Machine Operator',
    department: 'Manufacturing',
    country: 'Slovenia',
    preferredLanguage: 'sl-SI',
    manager: 'nora',
  }),
  /** A name as long as a layout must bear. */
  maximilian: person(
    41,
    'maximilian',
    'Maximilian-Alexander Freiherr von Hohenberg-Reichenbach zu Oberniederwallendorf',
    {
      jobTitle: 'Senior Vice President for Transformation, Integration and Special Projects',
      department: 'Corporate Development',
      country: 'Austria',
      preferredLanguage: 'de-AT',
      manager: 'adele',
    },
  ),
  /** Nothing but a name: no title, department, manager or language. */
  ng: person(42, 'ng', 'Ng', { companyName: null }),
} satisfies Record<string, Person>;

/** Short names of the demo people. */
export type PersonAlias = keyof typeof peopleByAlias;

/** The demo people by alias. */
export const people: Record<PersonAlias, Person> = peopleByAlias;

/** The whole user principal name, `olivia@contoso.example`. */
export function userPrincipalNameOf(someone: Pick<Person, 'userPrincipalName'>): string {
  return `${someone.userPrincipalName}@${tenant.domain}`;
}

type GroupDetails = Partial<Omit<Group, 'id' | 'displayName' | 'mailNickname'>>;

function group(n: number, mailNickname: string, displayName: string, details: GroupDetails): Group {
  return {
    id: `b0000000-0000-4000-8000-${number(n)}`,
    displayName,
    description: '',
    mail: null,
    mailNickname,
    mailEnabled: false,
    securityEnabled: true,
    groupTypes: [],
    membershipRule: null,
    membershipRuleProcessingState: null,
    onPremisesSyncEnabled: null,
    isCloudManaged: false,
    isAssignableToRole: null,
    isManagementRestricted: null,
    visibility: null,
    owners: [],
    members: [],
    ...details,
  };
}

const microsoft365 = (mailNickname: string, details: GroupDetails): GroupDetails => ({
  mail: `${mailNickname}@${tenant.domain}`,
  mailEnabled: true,
  securityEnabled: false,
  groupTypes: ['Unified'],
  visibility: 'Private',
  resourceProvisioningOptions: [],
  ...details,
});

const groupsByAlias = {
  design: group(1, 'design', 'Design Studio', {
    description: 'Designers, researchers and illustrators.',
    visibility: 'Private',
    owners: ['olivia', 'omar'],
    members: ['olivia', 'maja', 'chen', 'priya'],
  }),
  marketing: group(
    2,
    'marketing',
    'Marketing',
    microsoft365('marketing', {
      description: 'Campaigns, brand and events.',
      owners: ['olivia'],
      members: ['olivia', 'sofia', 'zoe', 'pierre'],
      resourceProvisioningOptions: ['Team'],
    }),
  ),
  finance: group(3, 'finance', 'Finance', {
    description: 'Read access to the ledger.',
    owners: ['omar'],
    members: ['omar', 'lars', 'kenji', 'thabo'],
  }),
  /** Nobody owns it. */
  ownerless: group(4, 'print-room', 'Print Room', {
    description: 'Whoever set this up has left.',
    members: ['leilani', 'ada'],
  }),
  /** Its only owner is a guest. */
  guestOwned: group(5, 'northwind-pilot', 'Northwind Pilot', {
    description: 'Joint pilot with Northwind.',
    owners: ['guido'],
    members: ['mateus'],
  }),
  /** Its only owner's account is disabled. */
  disabledOwner: group(6, 'field-study', 'Field Study 2024', {
    description: 'Raw data of the field study.',
    owners: ['dora'],
    members: ['elena'],
  }),
  /** Its only owner has no mailbox. */
  maillessOwner: group(7, 'plant-floor', 'Plant Floor', {
    description: 'Terminals in hall 3.',
    owners: ['nora'],
    members: ['ada'],
  }),
  /** Its only owner is an app. */
  appOwned: group(8, 'build-agents', 'Build Agents', {
    description: 'Managed by the directory bot.',
    owners: ['app:directoryBot'],
    members: ['tomas'],
  }),
  /** Mastered on premises. */
  synced: group(9, 'CORP-FileShare', 'CORP File Share', {
    description: 'Synchronised from Active Directory.',
    onPremisesSyncEnabled: true,
    members: ['frank', 'fiona'],
  }),
  /** Synchronised once, managed in the cloud now. */
  cloudManaged: group(10, 'CORP-VPN', 'CORP VPN', {
    description: 'Moved to the cloud.',
    onPremisesSyncEnabled: true,
    isCloudManaged: true,
    owners: ['olivia'],
    members: ['tomas'],
  }),
  /** A rule decides who is in. */
  dynamic: group(11, 'all-germany', 'All of Germany', {
    description: 'Everyone whose country is Germany.',
    groupTypes: ['DynamicMembership'],
    membershipRule: 'user.country -eq "Germany"',
    membershipRuleProcessingState: 'On',
    owners: ['olivia'],
    members: ['otto', 'hugo', 'anika'],
  }),
  dynamic365: group(
    12,
    'all-sales',
    'All of Sales',
    microsoft365('all-sales', {
      description: 'Everyone in Sales.',
      groupTypes: ['Unified', 'DynamicMembership'],
      membershipRule: 'user.department -eq "Sales"',
      membershipRuleProcessingState: 'On',
      owners: ['sofia'],
      members: ['mateus', 'noor'],
    }),
  ),
  /** Membership can bring directory roles. */
  roleAssignable: group(13, 'helpdesk-admins', 'Helpdesk Administrators', {
    description: 'Holds the Helpdesk Administrator role.',
    isAssignableToRole: true,
    visibility: 'Private',
    owners: ['adele'],
    members: ['frank'],
  }),
  /** In a restricted management administrative unit. */
  restricted: group(14, 'executives', 'Executives', {
    description: 'In a restricted administrative unit.',
    isManagementRestricted: true,
    owners: ['adele'],
    members: ['maximilian'],
  }),
  distribution: group(15, 'newsletter', 'Newsletter', {
    description: 'A distribution list.',
    mail: `newsletter@${tenant.domain}`,
    mailEnabled: true,
    securityEnabled: false,
    owners: [],
    members: ['pierre', 'zoe'],
  }),
  mailSecurity: group(16, 'board-papers', 'Board Papers', {
    description: 'A mail-enabled security group.',
    mail: `board-papers@${tenant.domain}`,
    mailEnabled: true,
    owners: [],
    members: ['adele', 'omar'],
  }),
  /** Nobody outside may see who is in. */
  hidden: group(
    17,
    'confidants',
    'Confidential Counsellors',
    microsoft365('confidants', {
      description: 'Talk to us in confidence.',
      visibility: 'HiddenMembership',
      owners: ['aroha'],
      members: ['aroha', 'ines'],
    }),
  ),
  /** Holds design: its members are members here, indirectly. */
  parent: group(18, 'creative', 'Creative Tools Licence', {
    description: 'Licences for the creative tools.',
    owners: ['olivia'],
    members: ['group:design', 'siobhan'],
  }),
  fallbackApprovers: group(19, 'fallback-approvers', 'Fallback Approvers', {
    description: 'Decide where a group has nobody who can.',
    owners: ['adele'],
    members: ['frank', 'fiona'],
  }),
  everyone: group(20, 'everyone', 'Everyone at Contoso', {
    description: 'All people, guests included.',
    owners: ['olivia', 'omar'],
    members: Object.keys(peopleByAlias),
  }),
  /** Texts that must be escaped wherever they are shown. */
  hostile: group(21, 'hostile', `"><script>alert('group')</script> & Co`, {
    description: `<h1 onmouseover="alert(1)">It's "quoted"</h1>\n{{7*7}} \u202Etxt.exe`,
    owners: ['hugo'],
    members: ['hugo', 'bidi'],
  }),
  /** Only a requester owns it. */
  soleOwnerRequester: group(22, 'rita-lab', 'Prototype Lab', {
    description: 'Paper prototypes and tests.',
    owners: ['rita'],
    members: ['minh'],
  }),
  twoOwnersOneGuest: group(23, 'partner-portal', 'Partner Portal', {
    description: 'Shared with partners.',
    owners: ['olivia', 'guido'],
    members: ['guido', 'mateus'],
  }),
  legalHold: group(24, 'legal-hold', 'Legal Hold', {
    description: 'Documents under legal hold.',
    owners: ['omar', 'aude', 'ines'],
    members: ['anika'],
  }),
  research: group(25, 'research', 'Research', {
    description: 'Laboratory notebooks.',
    owners: ['amara', 'yusuf', 'olivia'],
    members: ['amara', 'yusuf', 'elena', 'bidi'],
  }),
  publicNews: group(
    26,
    'news',
    'Contoso News',
    microsoft365('news', {
      description: 'Open to all.',
      visibility: 'Public',
      owners: ['zoe', 'sofia'],
      members: ['zoe', 'sofia', 'aroha', 'pierre'],
    }),
  ),
  engineering: group(27, 'engineering', 'Engineering', {
    description: 'Source code and build logs.',
    owners: ['mona', 'tomas'],
    members: ['tomas', 'minh', 'jun', 'siobhan', 'group:appOwned'],
  }),
} satisfies Record<string, Group>;

/** Short names of the demo groups. */
export type GroupAlias = keyof typeof groupsByAlias;

/** The demo groups by alias. */
export const groups: Record<GroupAlias, Group> = groupsByAlias;

function app(n: number, displayName: string, secret: string, roles: string[]): App {
  return {
    clientId: `c0000000-0000-4000-8000-${number(n)}`,
    objectId: `c0000000-0000-4000-8001-${number(n)}`,
    displayName,
    secret,
    roles,
  };
}

const appsByAlias = {
  /** Files join requests on people's behalf. */
  hrPortal: app(1, 'HR Portal', 'hr-portal-demo-secret', ['Requests.Submit']),
  opsTool: app(2, 'Operations Tool', 'ops-tool-demo-secret', ['Operations.Manage']),
  adminTool: app(3, 'Administration Tool', 'admin-tool-demo-secret', ['Policy.Manage']),
  /** Signs in, and may do nothing. */
  noRoles: app(4, 'App without Roles', 'no-roles-demo-secret', []),
  /** Owns a group. */
  directoryBot: app(5, 'Directory Bot', 'directory-bot-demo-secret', []),
} satisfies Record<string, App>;

/** Short names of the demo apps. */
export type AppAlias = keyof typeof appsByAlias;

/** The demo apps by alias. */
export const apps: Record<AppAlias, App> = appsByAlias;
