import { usage } from './failure';

/** An option of the command line. */
export interface Option {
  /** What stands for its value in the help; absent where it takes none. */
  value?: string;
  short?: string;
  choices?: readonly string[];
  /** Whether the value names a file. */
  isFile?: boolean;
  help: string;
}

export const SIGN_INS = ['device-code', 'azure-cli', 'client-secret', 'certificate', 'workload-identity'] as const;
export type SignIn = (typeof SIGN_INS)[number];

/** What every command takes. */
export const COMMON: Readonly<Record<string, Option>> = {
  'base-url': {
    value: 'url',
    help: 'Where Gatehouse is. GATEHOUSE_BASE_URL; http://localhost:7070 where neither is given.',
  },
  tenant: { value: 'id', help: 'The tenant to sign in to. GATEHOUSE_TENANT_ID or AZURE_TENANT_ID.' },
  scope: { value: 'scope', help: 'What to sign in for: api://<client id of the API>/.default. GATEHOUSE_SCOPE.' },
  'client-id': {
    value: 'id',
    help: 'The app that signs in: a public client for device-code (GATEHOUSE_CLIENT_ID; the Azure CLI’s where none is given), else the one that the secret or certificate belongs to (AZURE_CLIENT_ID).',
  },
  'sign-in': {
    value: 'how',
    choices: SIGN_INS,
    help: 'How to sign in. Where it is not said: by what the environment holds (AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE), else by device-code.',
  },
  'token-stdin': { help: 'Read an access token from standard input. GATEHOUSE_ACCESS_TOKEN does the same.' },
  local: { help: 'The local stack (npm start) of this checkout, as one of its demo systems or people.' },
  as: {
    value: 'alias',
    help: 'With --local: whom to be, such as hrPortal or olivia; where it is not said, a system that may.',
  },
  json: { help: 'Print the answer of the API as it is.' },
  help: { short: 'h', help: 'Say what the command takes.' },
};

/** Values of options as they were given; one without a value is `true`. */
export type Given = Readonly<Record<string, string | boolean | string[] | undefined>>;

/** The value of an option that takes one. */
export const textOf = (given: Given, name: string): string | undefined => {
  const value = given[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const DEFAULT_BASE_URL = 'http://localhost:7070';
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Where Gatehouse is, without a slash at the end. @throws {Failure} where a token sent there could be read on the way */
export function baseUrlOf(given: Given, env: Readonly<Record<string, string | undefined>>): string {
  const text = textOf(given, 'base-url') ?? (env['GATEHOUSE_BASE_URL'] || DEFAULT_BASE_URL);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '')
    throw usage(`${text} is no address of Gatehouse: give one such as https://gatehouse.contoso.example.`);
  if (url.protocol === 'http:' && !LOOPBACK.includes(url.hostname))
    throw usage(`${text} is not encrypted: use https. Only the local stack is called over http.`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
