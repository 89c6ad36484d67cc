// Microsoft Graph v1.0 for the scripts of a deployment, as the person (or pipeline) who runs them. The app itself never uses this.

const TIMEOUT_MS = 30_000;
const TRIES = 5;
/** First wait of a repeat; each one after is twice as long. */
const FIRST_WAIT_MS = 1_000;
const MOST_PAGES = 100;

/** Something that the person who runs a script can mend; the message says how. */
export class Failure extends Error {}

/** An answer of Graph that is no success. */
export class GraphRefusal extends Error {
  constructor(call, status, code, message) {
    super(`Microsoft Graph refused ${call}: ${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
  }
}

/** @throws {Failure} for an address to which no token may be sent */
function endpointFrom(environment) {
  const endpoint = (environment.GRAPH_ENDPOINT ?? 'https://graph.microsoft.com').replace(/\/+$/, '');
  if (!/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$)/.test(endpoint))
    throw new Failure(`GRAPH_ENDPOINT is ${endpoint}: give an https address.`);
  return endpoint;
}

async function tokenFrom(environment, endpoint) {
  if (environment.GATEHOUSE_GRAPH_TOKEN) return environment.GATEHOUSE_GRAPH_TOKEN;
  return cliToken(environment, `${endpoint}/.default`, (login, reason) => {
    return `No token for Microsoft Graph: run "${login}", or put one into GATEHOUSE_GRAPH_TOKEN.\n${reason}`;
  });
}

/** A token of whoever is signed in to the Azure CLI. @throws {Failure} with the sentence that `explain` makes of the login and the reason */
export async function cliToken(environment, scope, explain) {
  const { AzureCliCredential } = await import('@azure/identity');
  const tenantId = environment.AZURE_TENANT_ID;
  try {
    const credential = new AzureCliCredential(tenantId === undefined ? {} : { tenantId });
    return (await credential.getToken(scope)).token;
  } catch (error) {
    throw new Failure(explain(`az login${tenantId === undefined ? '' : ` --tenant ${tenantId}`}`, error.message));
  }
}

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Milliseconds that Graph asks to wait, or undefined. */
function retryAfter(response) {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

/**
 * A connection to Graph. Throttling and outages are waited out; with `fresh`, so is a 404, since an object that was just made is not
 * everywhere yet. Calls resolve to the answer's JSON (undefined for none). @throws {Failure} without a token, {GraphRefusal} for a refusal
 */
export async function connectGraph(environment = process.env) {
  const endpoint = endpointFrom(environment);
  const token = await tokenFrom(environment, endpoint);

  async function call(method, path, body, { fresh = false, headers = {} } = {}) {
    const url = path.startsWith('/') ? `${endpoint}/v1.0${path}` : path;
    // a next link: the token goes to Graph and to nobody else
    if (!url.startsWith(`${endpoint}/`)) throw new Failure(`Microsoft Graph named another address: ${url}`);
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((error) => {
        throw new Failure(`${endpoint} can't be reached: ${error.cause?.message ?? error.message}`);
      });
      const text = await response.text();
      if (response.ok) return text === '' ? undefined : JSON.parse(text);
      const mayPass = [429, 503, 504].includes(response.status) || (fresh && response.status === 404);
      if (!mayPass || attempt === TRIES) throw refusal(`${method} ${path}`, response.status, text);
      await wait(retryAfter(response) ?? FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }

  return {
    endpoint,
    get: (path, options) => call('GET', path, undefined, options),
    /** Resolves to undefined where there is no such object. */
    find: async (path) => {
      try {
        return await call('GET', path);
      } catch (error) {
        if (error instanceof GraphRefusal && error.status === 404) return undefined;
        throw error;
      }
    },
    list: async (path) => {
      const found = [];
      let next = path;
      for (let page = 0; next !== undefined; page += 1) {
        if (page === MOST_PAGES) throw new Failure(`Microsoft Graph gave pages without an end for ${path}.`);
        const { value, '@odata.nextLink': link } = await call('GET', next);
        found.push(...value);
        next = link;
      }
      return found;
    },
    post: (path, body, options) => call('POST', path, body, options),
    patch: (path, body, options) => call('PATCH', path, body, options),
    /** Resolves to false where it was gone already. */
    remove: async (path) => {
      try {
        await call('DELETE', path);
        return true;
      } catch (error) {
        if (error instanceof GraphRefusal && error.status === 404) return false;
        throw error;
      }
    },
  };
}

function refusal(call, status, text) {
  let error;
  try {
    ({ error } = JSON.parse(text));
  } catch {
    // something in between answered, not Graph
  }
  return new GraphRefusal(call, status, error?.code ?? 'unknown', error?.message ?? text.slice(0, 300));
}

/** Runs a script to its end: what its user can mend is told in one sentence, everything else with its stack. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof Failure) console.error(error.message);
    else if (error instanceof GraphRefusal) console.error(withAdvice(error));
    else console.error(error);
    process.exitCode = 1;
  }
}

function withAdvice(error) {
  if (error.status === 401) return `${error.message}\nThe token is not accepted, or no longer: run "az login" again.`;
  if (error.status === 403)
    return `${error.message}\nYour account may not do this. docs/deploy.md says which role of Microsoft Entra each step needs.`;
  return error.message;
}
