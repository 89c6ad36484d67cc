// An access token for the API, from @azure/identity: kept in memory, for this command only.
import type { TokenCredential } from '@azure/identity';

import { EXIT, Failure, usage } from './failure';
import { SIGN_INS, textOf } from './settings';
import type { Given, SignIn } from './settings';
import type { Surroundings } from './surroundings';

/** Gives an access token that is valid at this moment. */
export type TokenSource = () => Promise<string>;

/** Reads a token that somebody else got. */
export const givenToken = (text: string, from: string): TokenSource => {
  const token = text.trim();
  if (!/^[A-Za-z0-9._~+/=-]+$/.test(token)) throw usage(`There is no access token in ${from}.`);
  return () => Promise.resolve(token);
};

/** How to sign in: as was said, else by what the environment holds. @throws {Failure} where it names no way there is */
function signInOf(given: Given, env: Surroundings['env']): SignIn {
  const said = textOf(given, 'sign-in');
  if (said !== undefined) {
    const known = SIGN_INS.find((each) => each === said);
    if (known === undefined) throw usage(`--sign-in is one of ${SIGN_INS.join(', ')}.`);
    return known;
  }
  if (env['AZURE_CLIENT_SECRET']) return 'client-secret';
  if (env['AZURE_CLIENT_CERTIFICATE_PATH']) return 'certificate';
  if (env['AZURE_FEDERATED_TOKEN_FILE']) return 'workload-identity';
  return 'device-code';
}

/** Signs in as the options and the environment say, when the first token is asked for. */
export function signIn(given: Given, { env, tell }: Surroundings): TokenSource {
  const scope = textOf(given, 'scope') ?? env['GATEHOUSE_SCOPE'];
  if (!scope)
    throw usage(
      'Say what to sign in for: set GATEHOUSE_SCOPE to api://<client id of the API>/.default, or GATEHOUSE_ACCESS_TOKEN to a token that you have. For the local stack say --local.',
    );
  const how = signInOf(given, env);
  const tenantId = textOf(given, 'tenant') ?? (env['GATEHOUSE_TENANT_ID'] || env['AZURE_TENANT_ID']);
  if (!tenantId && how !== 'azure-cli') throw usage('Say which tenant to sign in to: set GATEHOUSE_TENANT_ID.');
  let credential: Promise<TokenCredential> | undefined;
  return async () => {
    try {
      credential ??= credentialFor(how, tenantId, given, { env, tell });
      const { token } = (await (await credential).getToken(scope)) ?? { token: '' };
      return token;
    } catch (error) {
      if (error instanceof Failure) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new Failure(EXIT.notAllowed, `Signing in failed: ${message}`);
    }
  };
}

async function credentialFor(
  how: SignIn,
  tenant: string | undefined,
  given: Given,
  { env, tell }: Pick<Surroundings, 'env' | 'tell'>,
): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  const authorityHost = env['AZURE_AUTHORITY_HOST'];
  const tenantId = tenant ?? '';
  const options = {
    tenantId,
    ...(authorityHost && {
      authorityHost,
      // Microsoft's own list of authorities knows no other
      disableInstanceDiscovery: !Object.values<string>(identity.AzureAuthorityHosts).some(
        (known) => new URL(known).host === new URL(authorityHost).host,
      ),
    }),
  };
  const needed = (name: string): string => {
    const value = env[name];
    if (!value) throw usage(`--sign-in ${how} needs ${name} in the environment.`);
    return value;
  };
  const clientId = textOf(given, 'client-id');
  switch (how) {
    case 'azure-cli':
      return new identity.AzureCliCredential(tenant === undefined ? {} : { tenantId });
    case 'client-secret':
      return new identity.ClientSecretCredential(
        tenantId,
        clientId ?? needed('AZURE_CLIENT_ID'),
        needed('AZURE_CLIENT_SECRET'),
        options,
      );
    case 'certificate':
      return new identity.ClientCertificateCredential(
        tenantId,
        clientId ?? needed('AZURE_CLIENT_ID'),
        {
          certificatePath: needed('AZURE_CLIENT_CERTIFICATE_PATH'),
          ...(env['AZURE_CLIENT_CERTIFICATE_PASSWORD'] && {
            certificatePassword: env['AZURE_CLIENT_CERTIFICATE_PASSWORD'],
          }),
        },
        options,
      );
    case 'workload-identity':
      return new identity.WorkloadIdentityCredential({
        ...options,
        clientId: clientId ?? needed('AZURE_CLIENT_ID'),
        tokenFilePath: needed('AZURE_FEDERATED_TOKEN_FILE'),
      });
    case 'device-code': {
      const publicClient = clientId ?? env['GATEHOUSE_CLIENT_ID'];
      return new identity.DeviceCodeCredential({
        ...options,
        ...(publicClient && { clientId: publicClient }),
        userPromptCallback: ({ message }) => {
          tell(message);
        },
      });
    }
  }
}
