import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { FaultRule, RecordedCall } from '../../local/faults';
import { SERVICES } from '../workflow/house';
import type { House, Service } from '../workflow/house';

/** A call that the app makes of a service, without what differs from story to story: `GET /v1.0/groups/{id}`, `PUT requests(row)`. */
export interface Outgoing {
  service: Service;
  call: string;
}

export const nameOf = ({ service, call }: Outgoing): string => `${service} ${call}`;

/** Every call of the story: a new one is in no fault case until it is written there. */
export const listed: readonly Outgoing[] = (
  JSON.parse(readFileSync(join(__dirname, 'calls.json'), 'utf8')) as string[]
).map((line) => {
  const [service = '', ...call] = line.split(' ');
  const known = SERVICES.find((each) => each === service);
  if (known === undefined) throw new Error(`nothing is called ${service}`);
  return { service: known, call: call.join(' ') };
});

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]+-[0-9a-f]{32}/g;

/** The table of a call, and whether it is of one row, of a range, or a new row; that of a batch stands in its body. */
function tableCall(path: string, body: string): string {
  const of = /^\/[^/]+\/(\$?\w+)(\(\w)?(\()?/.exec(path);
  const [, table = path, row, range] = of ?? [];
  if (table === '$batch') return `$batch ${/(?:POST|PUT|DELETE|PATCH) \S+?\/\w+\/(\w+)/.exec(body)?.[1] ?? ''}`;
  return `${table}${row === undefined ? (range === undefined ? '' : '(range)') : '(row)'}`;
}

function callOf(service: Service, { method, path, body }: RecordedCall): string {
  const [bare = ''] = decodeURIComponent(path).split('?');
  return `${method} ${service === 'tables' ? tableCall(bare, body) : bare.replaceAll(ID, '{id}')}`;
}

/** How often each call was made since the house's calls were forgotten. */
export async function countCalls(house: House): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const service of SERVICES) {
    for (const made of await house.calls(service)) {
      const name = nameOf({ service, call: callOf(service, made) });
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^|]/g, '\\$&');

function tablePattern(target: string): Pick<FaultRule, 'path' | 'body'> {
  const [first = '', batched] = target.split(' ');
  if (batched !== undefined) return { path: '/\\$batch', body: `/${batched}(\\(|\\?| |$)` };
  const [table = '', kind] = first.split(/[()]/);
  return { path: `^/[^/]+/${table}${kind === 'row' ? '\\(\\w' : kind === 'range' ? '\\(\\)' : '(\\?|$)'}` };
}

/** What a fault is given to come over this call and no other. */
export function patternOf({ service, call }: Outgoing): Pick<FaultRule, 'method' | 'path' | 'body'> {
  const [method = '', ...target] = call.split(' ');
  const path = target.join(' ');
  if (service === 'tables') return { method, ...tablePattern(path) };
  return { method, path: `^${escaped(path).replaceAll('{id}', '[^/?]+')}(\\?|$)` };
}
