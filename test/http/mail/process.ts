// A process of its own with the mail service in it, to be killed.
import { listen } from './service';

const [state = '', key = '', cert = '', accessKey = ''] = process.argv.slice(2);

void listen(
  {
    state,
    accessKey,
    senderDomains: ['contoso.example'],
    verifyToken: () => Promise.reject(new Error('this service takes signatures only')),
  },
  { key, cert },
).then(({ acs, inbox }) => {
  process.stdout.write(`${JSON.stringify({ acs, inbox })}\n`);
});
