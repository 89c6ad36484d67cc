import { messageOf } from '../host-failure';
import { decodeSegment } from '../http-messages';
import { statusOf } from './instance-status';
import type { ManagementEndpoint } from './management-urls';
import { managementUrls } from './management-urls';
import type { Orchestrations, Sent } from './orchestrations';
import type { Instance, InstanceFilter } from './store';
import { isFinal, parseRuntimeStatus } from './store';

/** A call of the management API; the path is what follows the API's base, the body is text. */
export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  contentType: string | undefined;
  continuationToken: string | undefined;
  /** Of W3C Trace Context. */
  traceParent: string | undefined;
  body: string;
  /** `http://host:port` that the caller used; addresses in answers begin with it. */
  origin: string;
}

export interface ApiResponse {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; none when undefined. */
  body?: unknown;
}

const DEFAULT_PAGE = 100;
const SENT: Record<Sent, ApiResponse> = { sent: { status: 202 }, unknown: { status: 404 }, finished: { status: 410 } };
const NO_ENTITIES = 'This host has no durable entities; run the app on Azure or with Core Tools.';

/** The durable extension's HTTP API: `/orchestrators/…` and `/instances/…`, for the webhook and for the durable client. */
export class ManagementApi {
  constructor(
    private readonly orchestrations: Orchestrations,
    private readonly hub: Omit<ManagementEndpoint, 'baseUrl'>,
  ) {}

  async handle(request: ApiRequest): Promise<ApiResponse> {
    const [collection, ...rest] = request.path
      .split('/')
      .filter((part) => part !== '')
      .map(urlDecode);
    switch (collection?.toLowerCase()) {
      case 'orchestrators':
        return request.method === 'POST' && rest[0] !== undefined && rest.length <= 2
          ? this.start(request, rest[0], rest[1])
          : { status: 404 };
      case 'instances':
        return this.instances(request, rest);
      case 'entities':
        return { status: 501, body: NO_ENTITIES };
      default:
        return { status: 404 };
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws must reject, as the calls around it do
  private async instances(request: ApiRequest, [id, operation, eventName, ...more]: string[]): Promise<ApiResponse> {
    const { method } = request;
    if (more.length > 0) return { status: 404 };
    if (id === undefined) {
      if (method === 'GET') return this.list(request);
      return method === 'DELETE' ? this.purgeAll(request) : { status: 404 };
    }
    if (operation === undefined) {
      if (method === 'GET') return this.status(request, id);
      return method === 'DELETE' ? this.purge(id) : { status: 404 };
    }
    if (method !== 'POST') return { status: 404 };
    const reason = request.query.get('reason') ?? '';
    switch (operation.toLowerCase()) {
      case 'raiseevent':
        return eventName === undefined ? { status: 404 } : this.raiseEvent(request, id, eventName);
      case 'terminate':
        return SENT[this.orchestrations.terminate(id, reason)];
      case 'suspend':
        return SENT[this.orchestrations.suspend(id, reason)];
      case 'resume':
        return SENT[this.orchestrations.resume(id, reason)];
      case 'rewind':
        return this.rewind(id);
      case 'restart':
        return this.restart(request, id);
      default:
        return { status: 404 };
    }
  }

  private async start(request: ApiRequest, name: string, id: string | undefined): Promise<ApiResponse> {
    const input = jsonBody(request.body);
    if (!input.ok && request.body !== '') return invalidJson(input.problem);
    const started = this.orchestrations.start(
      name,
      id,
      input.ok ? input.text : null,
      request.query.get('version') ?? undefined,
      request.traceParent,
    );
    if (started.kind === 'exists') {
      return {
        status: 409,
        body: { Message: `An Orchestration instance with the status ${started.status} already exists.` },
      };
    }
    return (await this.waitForOutput(request, started.instanceId)) ?? this.accepted(request, started.instanceId);
  }

  /** With `timeout` in the query a start waits so many seconds for the result. */
  private async waitForOutput({ query }: ApiRequest, id: string): Promise<ApiResponse | undefined> {
    const seconds = Number(query.get('timeout') ?? Number.NaN);
    if (!Number.isFinite(seconds)) return undefined;
    await this.orchestrations.ended(id, Math.min(Math.max(seconds, 0), 230) * 1000);
    const instance = this.orchestrations.get(id);
    if (!instance || !isFinal(instance.status)) return undefined;
    const status = statusOf(instance, { showInput: true, showHistory: false, showHistoryOutput: false });
    return instance.status === 'Completed' ? { status: 200, body: status['output'] } : { status: 500, body: status };
  }

  private accepted(request: ApiRequest, id: string): ApiResponse {
    const { rewindPostUri: _never, ...urls } = managementUrls(this.endpoint(request), id);
    return { status: 202, headers: { location: urls.statusQueryGetUri, 'retry-after': '10' }, body: { id, ...urls } };
  }

  private status(request: ApiRequest, id: string): ApiResponse {
    const instance = this.orchestrations.get(id);
    if (!instance) return { status: 404 };
    const { query } = request;
    const showHistory = flag(query, 'showHistory', false);
    const options = {
      showInput: flag(query, 'showInput', true),
      showHistory,
      showHistoryOutput: flag(query, 'showHistoryOutput', false),
    };
    const body = statusOf(instance, options, showHistory ? this.orchestrations.history(id) : []);
    if (isFinal(instance.status)) {
      const asError = instance.status === 'Failed' && flag(query, 'returnInternalServerErrorOnFailure', false);
      return { status: asError ? 500 : 200, body };
    }
    const asked = ['showHistory', 'showHistoryOutput', 'showInput']
      .filter((name) => query.has(name))
      .map((name) => `&${name}=${query.get(name)}`);
    const location = managementUrls(this.endpoint(request), id).statusQueryGetUri + asked.join('');
    return { status: 202, headers: { location, 'retry-after': '5' }, body };
  }

  private list({ query, continuationToken }: ApiRequest): ApiResponse {
    const top = Number(query.get('top'));
    const size = Number.isInteger(top) && top > 0 ? top : DEFAULT_PAGE;
    const filter = { ...filterOf(query), idPrefix: query.get('instanceIdPrefix') ?? undefined };
    const from = continuationToken ? Buffer.from(continuationToken, 'base64').toString() : '';
    const page = this.orchestrations.list(filter, from, size + 1);
    const next = page[size];
    const options = { showInput: flag(query, 'showInput', true), showHistory: false, showHistoryOutput: false };
    return {
      status: 200,
      headers: next ? { 'x-ms-continuation-token': Buffer.from(next.id).toString('base64') } : {},
      body: page.slice(0, size).map((instance) => statusOf(instance, options)),
    };
  }

  private raiseEvent({ contentType, body }: ApiRequest, id: string, name: string): ApiResponse {
    if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
      return { status: 400, body: { Message: 'Only application/json request content is supported' } };
    }
    const data = jsonBody(body);
    return data.ok ? SENT[this.orchestrations.raiseEvent(id, name, data.text)] : invalidJson(data.problem);
  }

  private rewind(id: string): ApiResponse {
    const instance = this.orchestrations.get(id);
    if (!instance) return { status: 404 };
    if (instance.status === 'Failed')
      return { status: 501, body: 'This host cannot rewind; restart the instance instead.' };
    return {
      status: 412,
      body: `This orchestration has status ${instance.status}, but only orchestrations in the "Failed" state can be rewound.`,
    };
  }

  private restart(request: ApiRequest, id: string): ApiResponse {
    const instance = this.orchestrations.get(id);
    if (!instance) return { status: 404 };
    const newId = flag(request.query, 'restartWithNewInstanceId', true) ? undefined : id;
    const started = this.orchestrations.start(
      instance.name,
      newId,
      instance.input,
      instance.version ?? undefined,
      request.traceParent,
    );
    if (started.kind === 'started') return this.accepted(request, started.instanceId);
    return {
      status: 409,
      body: { Message: `An Orchestration instance with the status ${started.status} already exists.` },
    };
  }

  private purge(id: string): ApiResponse {
    const instance = this.orchestrations.get(id);
    if (!instance) return { status: 404 };
    if (!isFinal(instance.status)) return { status: 412, body: stillRuns(instance) };
    this.orchestrations.purge(id);
    return { status: 200, body: { instancesDeleted: 1 } };
  }

  private purgeAll({ query }: ApiRequest): ApiResponse {
    const filter = filterOf(query);
    if (filter.createdFrom === undefined)
      return { status: 400, body: "Please provide value for 'createdTimeFrom' parameter." };
    const instancesDeleted = this.orchestrations.purgeAll({ ...filter, createdTo: filter.createdTo ?? Date.now() });
    return instancesDeleted === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted } };
  }

  private endpoint({ origin }: ApiRequest): ManagementEndpoint {
    return { ...this.hub, baseUrl: `${origin}/runtime/webhooks/durabletask` };
  }
}

function stillRuns({ id, status }: Instance): string {
  return `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${id} has status ${status}`;
}

/** As .NET's WebUtility decodes: a plus is a space. */
function urlDecode(part: string): string {
  return decodeSegment(part.replaceAll('+', ' '));
}

function flag(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = query.get(name)?.toLowerCase();
  return text === 'true' || (text !== 'false' && fallback);
}

function filterOf(query: URLSearchParams): InstanceFilter {
  const time = (name: string): number | undefined => {
    const at = Date.parse(query.get(name) ?? '');
    return Number.isNaN(at) ? undefined : at;
  };
  const statuses = (query.get('runtimeStatus') ?? '')
    .split(',')
    .map(parseRuntimeStatus)
    .filter((status) => status !== undefined);
  return { createdFrom: time('createdTimeFrom'), createdTo: time('createdTimeTo'), statuses };
}

function jsonBody(body: string): { ok: true; text: string } | { ok: false; problem: string } {
  if (body.trim() === '')
    return { ok: false, problem: "Error reading JToken from JsonReader. Path '', line 0, position 0." };
  try {
    return { ok: true, text: JSON.stringify(JSON.parse(body)) };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
}

function invalidJson(problem: string): ApiResponse {
  const body = {
    Message: 'Invalid JSON content',
    ExceptionMessage: problem,
    ExceptionType: 'Newtonsoft.Json.JsonReaderException',
    StackTrace: '',
  };
  return { status: 400, body };
}
