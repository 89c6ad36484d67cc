import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createMail } from '../../../local/mail/mail';
import type { Mail, MailOptions } from '../../../local/mail/mail';

export interface Listening {
  mail: Mail;
  /** Origins. */
  acs: string;
  inbox: string;
  close: () => Promise<void>;
}

/** The mail service behind real listeners on free ports. */
export async function listen(
  options: Omit<MailOptions, 'acsBase'>,
  tls: { key: string; cert: string },
): Promise<Listening> {
  let acs = '';
  const mail = createMail({ ...options, acsBase: () => acs });
  const secure = serve({ fetch: mail.acs.fetch, port: 0, hostname: '127.0.0.1', createServer, serverOptions: tls });
  const plain = serve({ fetch: mail.inbox.fetch, port: 0, hostname: '127.0.0.1' });
  const servers = [secure, plain];
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.once('listening', () => done()))));
  const port = (server: (typeof servers)[number]) => (server.address() as AddressInfo).port;
  acs = `https://localhost:${port(secure)}`;
  return {
    mail,
    acs,
    inbox: `http://localhost:${port(plain)}`,
    close: async () => {
      await mail.close();
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((done) => {
              server.close(() => done());
              if ('closeAllConnections' in server) server.closeAllConnections();
            }),
        ),
      );
    },
  };
}
