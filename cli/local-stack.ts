// `--local`: the stack of this checkout as its demo systems and people. Nothing of it works, or is asked, anywhere else.
import { apps, people } from '../local/demo-tenant';
import type { AppAlias, PersonAlias } from '../local/demo-tenant';
import { tokenForm, tokenUrl } from '../local/stack/first-request';
import { portNames } from '../local/stack/ports';
import { EXIT, Failure, usage } from './failure';
import type { TokenSource } from './sign-in';
import { textAt } from './value';

type Actor = { kind: 'app'; alias: AppAlias } | { kind: 'person'; alias: PersonAlias };

const appAliases = Object.keys(apps) as AppAlias[];
const personAliases = Object.keys(people) as PersonAlias[];

/** Whom to be: who was named, else a system that has one of the roles, else a person who has. */
export function actorFor(alias: string | undefined, roles: readonly string[]): Actor {
  if (alias === undefined) {
    const may = (each: { roles: string[] }): boolean => each.roles.some((role) => roles.includes(role));
    const app = appAliases.find((each) => may(apps[each]));
    if (app !== undefined) return { kind: 'app', alias: app };
    const person = personAliases.find((each) => may(people[each]));
    if (person !== undefined) return { kind: 'person', alias: person };
    throw usage('Only people may do this. Say whom to be, such as --as olivia; the start page lists them.');
  }
  const app = appAliases.find((each) => each === alias);
  if (app !== undefined) return { kind: 'app', alias: app };
  const person = personAliases.find((each) => each === alias);
  if (person !== undefined) return { kind: 'person', alias: person };
  throw usage(
    `The demo tenant has no ${alias}. Its systems are ${appAliases.join(', ')}; the start page lists its people.`,
  );
}

/** Tokens of the local issuer, whose port follows on the front door's. */
export function localSignIn(baseUrl: string, alias: string | undefined, roles: readonly string[]): TokenSource {
  const actor = actorFor(alias, roles);
  const door = new URL(baseUrl);
  if (door.protocol !== 'http:') throw usage(`--local is for the local stack, and ${baseUrl} is not that.`);
  const issuer = `http://localhost:${String(Number(door.port || '80') + portNames.indexOf('entra'))}`;
  return async () => {
    const response = await (actor.kind === 'app'
      ? post(tokenUrl(issuer), new URLSearchParams(tokenForm(apps[actor.alias])))
      : post(`${issuer}/admin/token`, JSON.stringify({ person: actor.alias })));
    const token = response.ok ? textAt(await response.json(), 'access_token') : undefined;
    if (token === undefined)
      throw new Failure(
        EXIT.notAllowed,
        `The local issuer gave no token for ${actor.alias} (${String(response.status)}).`,
      );
    return token;
  };
}

async function post(url: string, body: URLSearchParams | string): Promise<Response> {
  try {
    const headers = typeof body === 'string' ? { headers: { 'content-type': 'application/json' } } : {};
    return await fetch(url, { method: 'POST', body, ...headers });
  } catch {
    throw new Failure(
      EXIT.tryLater,
      `The local stack does not answer at ${new URL(url).origin}: is npm start running?`,
    );
  }
}
