// `npm run report`: which groups can be self-service, as a table, CSV or JSON, of the local stack or any deployment.
import { once } from 'node:events';
import { DefaultAzureCredential } from '@azure/identity';
import { z } from 'zod';
import { BYTE_ORDER_MARK } from '../../shared/audit/csv';
import { csvHead, csvOf, jsonDocument } from '../../shared/reports/document';
import type { ReportHead } from '../../shared/reports/document';
import { apps } from '../demo-tenant';
import { readReport, ReportFailed } from '../report/client';
import type { ReportPart, ReportSource } from '../report/client';
import { addToLegend, tableEnd, tableHead, tableRow } from '../report/table';
import type { Legend } from '../report/table';
import { readOptions, readPorts, runCommand } from '../stack/command';
import { tokenForm, tokenUrl } from '../stack/first-request';
import { urlsOf } from '../stack/settings';
import { StackProblem } from '../stack/state-folder';

const USAGE = `npm run report -- [--csv | --json] [--no-members] [--page-size <groups>] [--port-base <first port>]

  --csv, --json         instead of the table; "npm run -s report -- --csv > groups.csv" writes nothing else into the file
  --no-members          does not count members: half the calls
  --page-size <groups>  after so many groups a report that breaks off can go on, 1 to 999
  --port-base <port>    of the local stack, where "npm start" was given one

Reads the local stack that "npm start" runs. Of another deployment: GATEHOUSE_BASE_URL (https://…) and GATEHOUSE_CLIENT_ID, the client id
of its app registration; signs in as @azure/identity's default chain does ("az login" is enough), with the app role Policy.Manage.
The lines go to stdout, the progress to stderr. Ends with 0 where all groups were read, 1 where not.`;

const FAILED = 1;
const INTERRUPTED = 130;

const settingsSchema = z.object({
  GATEHOUSE_BASE_URL: z.url({ protocol: /^https$/, error: 'GATEHOUSE_BASE_URL must be an https URL.' }),
  GATEHOUSE_CLIENT_ID: z.guid('GATEHOUSE_CLIENT_ID must be the client id of Gatehouse’s app registration.'),
});

function deployment(): ReportSource {
  const parsed = settingsSchema.safeParse(process.env);
  if (!parsed.success) throw new StackProblem(parsed.error.issues.map(({ message }) => message).join('\n'));
  const { GATEHOUSE_BASE_URL, GATEHOUSE_CLIENT_ID } = parsed.data;
  const credential = new DefaultAzureCredential();
  return {
    baseUrl: GATEHOUSE_BASE_URL.replace(/\/+$/, ''),
    token: async () => (await credential.getToken(`api://${GATEHOUSE_CLIENT_ID}/.default`)).token,
  };
}

function localStack(portBase: string | undefined): ReportSource {
  const urls = urlsOf(readPorts(portBase));
  const tokenSchema = z.object({ access_token: z.string() });
  return {
    baseUrl: urls.frontDoor,
    token: async () => {
      const body = new URLSearchParams(tokenForm(apps.adminTool));
      let response: Response;
      try {
        response = await fetch(tokenUrl(urls.entra), { method: 'POST', body });
      } catch {
        throw new StackProblem(
          `No local stack answers at ${urls.entra}: run "npm start" beside this, or set GATEHOUSE_BASE_URL.`,
        );
      }
      return tokenSchema.parse(await response.json()).access_token;
    },
  };
}

/** Waits where whoever reads is slower. */
async function write(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

type Writer = (part: ReportPart) => string;

function table(): Writer {
  const legend: Legend = new Map();
  let head: ReportHead | undefined;
  return (part) => {
    if ('head' in part) {
      head = part.head;
      return tableHead();
    }
    if ('end' in part) return head === undefined ? '' : tableEnd(part.end, head, legend);
    for (const line of part.lines) addToLegend(legend, line);
    return part.lines.map(tableRow).join('');
  };
}

const csv = (): Writer => (part) =>
  'head' in part ? BYTE_ORDER_MARK + csvHead() : 'lines' in part ? part.lines.map(csvOf).join('') : '';

function json(): Writer {
  let isFirst = true;
  return (part) => {
    if ('head' in part) return jsonDocument.head(part.head);
    if ('end' in part) return jsonDocument.end(part.end);
    return part.lines
      .map((line) => {
        const text = jsonDocument.line(line, isFirst);
        isFirst = false;
        return text;
      })
      .join('');
  };
}

/** One line on stderr: written over where a person looks, else a new one every ten seconds. */
function progress() {
  const started = performance.now();
  const isTerminal = process.stderr.isTTY;
  const every = isTerminal ? 200 : 10_000;
  let total = 0;
  let shown = started;
  const clear = (): void => {
    if (isTerminal) process.stderr.write('\r\u001b[K');
  };
  const line = (read: number): string => {
    const seconds = (performance.now() - started) / 1_000;
    const rate = Math.round(read / Math.max(seconds, 0.001));
    return `${read.toLocaleString('en')} of ${total.toLocaleString('en')} groups, ${rate.toLocaleString('en')} a second, ${seconds.toFixed(0)} s`;
  };
  let last = 0;
  return {
    of: (groups: number): void => {
      total = groups;
    },
    read: (groups: number): void => {
      last = groups;
      if (performance.now() - shown < every) return;
      shown = performance.now();
      clear();
      process.stderr.write(isTerminal ? line(groups) : `${line(groups)}\n`);
    },
    say: (text: string): void => {
      clear();
      process.stderr.write(`${text}\n`);
    },
    end: (): void => {
      clear();
      process.stderr.write(`${line(last)}\n`);
    },
  };
}

async function report(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    {
      csv: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'no-members': { type: 'boolean', default: false },
      'page-size': { type: 'string' },
      'port-base': { type: 'string' },
    },
    USAGE,
  );
  if (options.csv && options.json) throw new StackProblem(`Give --csv or --json, not both.\nUsage: ${USAGE}`);
  const pageSize = options['page-size'];
  if (pageSize !== undefined && !/^[1-9]\d{0,2}$/.test(pageSize))
    throw new StackProblem('--page-size must be a number from 1 to 999.');
  const source = process.env['GATEHOUSE_BASE_URL'] === undefined ? localStack(options['port-base']) : deployment();
  const writer = options.csv ? csv() : options.json ? json() : table();
  const shown = progress();
  const parts = readReport(source, {
    members: !options['no-members'],
    signal,
    ...(pageSize !== undefined && { pageSize: Number(pageSize) }),
    onLine: shown.read,
    onRetry: (why, waitMs) => {
      shown.say(`${why}: going on in ${String(Math.ceil(waitMs / 1_000))} s`);
    },
  });
  for await (const part of parts) {
    if ('head' in part) shown.of(part.head.groups);
    await write(writer(part));
  }
  shown.end();
  return 0;
}

runCommand((signal) =>
  report(signal).catch((error: unknown) => {
    if (signal.aborted) return INTERRUPTED;
    if (error instanceof StackProblem) throw error;
    if (error instanceof ReportFailed) console.error(`The report could not be read to its end. ${error.message}`);
    else console.error(`The report could not be read: ${error instanceof Error ? error.message : String(error)}`);
    return FAILED;
  }),
);
