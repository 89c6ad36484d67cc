// The process (or, with `separate`, one of the processes) in which the stack's own services listen.
import { join } from 'node:path';
import { z } from 'zod';
import { openClock } from '../clock/clock';
import { apps, eventGrid, tenant } from '../demo-tenant';
import { createDirectory } from '../directory/directory';
import { createEntra } from '../entra/entra';
import type { Entra } from '../entra/entra';
import { createFrontDoor } from '../front-door/front-door';
import { createMail } from '../mail/mail';
import { createWire } from '../wire';
import { tokenForm, tokenUrl } from './first-request';
import { createHome } from './home';
import { listen } from './listeners';
import { servicesConfigSchema } from './services-config';
import type { ServiceName, ServicesConfig } from './services-config';
import { urlsOf } from './settings';
import type { Urls } from './settings';
import { ensureTls } from './tls';
import type { Tls } from './tls';

interface Setting {
  config: ServicesConfig;
  urls: Urls;
  tls: Tls;
  entra: Entra;
  file: (name: string) => string;
}

/** Lets go of a service's listeners and state. */
type Close = () => void | Promise<void>;

/** What Graph reads of a token; one that was issued for something else may lack some of it. */
const graphClaims = z.object({
  aud: z.string(),
  exp: z.number(),
  iss: z.string(),
  oid: z.string(),
  tid: z.string(),
  appid: z.string().default(''),
  roles: z.array(z.string()).default([]),
});

async function operatorToken(urls: Urls): Promise<string> {
  const answer = await fetch(tokenUrl(urls.entra), {
    method: 'POST',
    headers: { Accept: 'text/plain' },
    body: new URLSearchParams(tokenForm(apps.opsTool)),
  });
  if (!answer.ok) throw new Error(`The local issuer answered ${answer.status}.`);
  return answer.text();
}

async function runEntra({ config, tls, entra }: Setting): Promise<Close> {
  const listeners = [
    await listen(entra.app, config.ports.entra),
    await listen(entra.app, config.ports.entraHttps, tls),
  ];
  return async () => {
    await Promise.all(listeners.map((each) => each.close()));
  };
}

async function runDirectory({ config, urls, tls, entra, file }: Setting): Promise<Close> {
  const directory = createDirectory({
    state: file('directory.db'),
    verifyToken: async (token) => graphClaims.parse(await entra.verify(token)),
    publicBase: () => urls.directoryHttps,
    seed: 'demo',
  });
  const listeners = [
    await listen(directory.site, config.ports.directory),
    await listen(directory.graph, config.ports.directoryHttps, tls),
  ];
  return async () => {
    await Promise.all(listeners.map((each) => each.close()));
    directory.close();
  };
}

/** The app's route that takes mail delivery reports. */
const DELIVERY_ROUTE = '/api/hooks/mail-delivery';

/** As Event Grid gets it for a webhook that Entra protects: an app's token for the API, with the one role. */
const eventGridToken = (entra: Entra): Promise<string> =>
  entra.mint({
    roles: [eventGrid.role],
    claims: {
      azp: eventGrid.clientId,
      azpacr: '2',
      idtyp: 'app',
      oid: eventGrid.objectId,
      sub: eventGrid.objectId,
    },
  });

async function runMail({ config, urls, tls, entra, file }: Setting): Promise<Close> {
  const webhook = config.deliveryWebhook === undefined ? urls.frontDoor + DELIVERY_ROUTE : config.deliveryWebhook;
  const mail = createMail({
    state: file('mail.db'),
    verifyToken: (token) => entra.verify(token),
    senderDomains: [tenant.domain],
    acsBase: () => urls.mailHttps,
    ...(webhook !== null && {
      deliveryEvents: {
        url: () => webhook,
        token: () => eventGridToken(entra),
        log: (line) => {
          console.error(line);
        },
      },
    }),
  });
  const listeners = [await listen(mail.inbox, config.ports.mail), await listen(mail.acs, config.ports.mailHttps, tls)];
  return async () => {
    await Promise.all(listeners.map((each) => each.close()));
    await mail.close();
  };
}

async function runFrontDoor({ config, urls, entra, file }: Setting): Promise<Close> {
  const clock = openClock(file('clock'));
  const home = createHome({ urls, clock, operatorToken: () => operatorToken(urls) });
  const frontDoor = createFrontDoor({
    upstream: () => `http://127.0.0.1:${config.ports.host}`,
    base: () => urls.frontDoor,
    entra: { httpBase: () => urls.entra, httpsBase: () => urls.entraHttps, clientSecret: entra.frontDoorSecret },
    state: file('entra.db'),
    home,
  });
  const listener = await listen(frontDoor, config.ports.frontDoor);
  return async () => {
    await listener.close();
    frontDoor.close();
  };
}

async function runWire({ config, urls, tls }: Setting): Promise<Close> {
  if (!config.wires) return () => undefined;
  const { ports } = config;
  const tables = createWire({ target: () => urls.tables, ca: tls.ca });
  const durable = createWire({ target: () => urls.durable });
  const listeners = [
    await listen(tables.app, ports.wire, tls),
    await listen(tables.admin, ports.wireAdmin),
    await listen(durable.app, ports.durableWire),
    await listen(durable.admin, ports.durableWireAdmin),
  ];
  return async () => {
    await Promise.all(listeners.map((each) => each.close()));
    tables.close();
    durable.close();
  };
}

const runners: Record<ServiceName, (setting: Setting) => Promise<Close>> = {
  entra: runEntra,
  directory: runDirectory,
  mail: runMail,
  frontDoor: runFrontDoor,
  wire: runWire,
};

async function main(): Promise<void> {
  const text = z.string().parse(process.env['LOCAL_STACK_CONFIG']);
  const config = servicesConfigSchema.parse(JSON.parse(text));
  const urls = urlsOf(config.ports);
  const file = (name: string): string => join(config.state, name);
  const tls = await ensureTls(config.state);
  // Where directory and mail run by themselves, each opens the issuer's state to check tokens by its keys.
  const entra = createEntra({
    state: file('entra.db'),
    httpBase: () => urls.entra,
    httpsBase: () => urls.entraHttps,
    frontDoorBase: () => urls.frontDoor,
  });
  const setting = { config, urls, tls, entra, file };
  const closes = await Promise.all(config.run.map((name) => runners[name](setting)));

  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await Promise.all(closes.map(async (close) => close()));
    entra.close();
    process.exit(0);
  };
  process.on('SIGINT', () => void end());
  process.on('SIGTERM', () => void end());
  console.log(`ready ${JSON.stringify({ identityHeader: entra.identityHeader })}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
