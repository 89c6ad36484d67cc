import { createLog } from '../../../../local/host/log';

function logged(logLevel: Record<string, string>): { log: ReturnType<typeof createLog>; lines: [string, boolean][] } {
  const lines: [string, boolean][] = [];
  return { lines, log: createLog(logLevel, (line, toStderr) => lines.push([line.replace(/^\S+ /, ''), toStderr])) };
}

test('a line carries level and category, its line breaks are escaped, and errors go to stderr', () => {
  const { log, lines } = logged({});
  log('information', 'Function.f.User', 'one\r\ntwo');
  log('error', 'Function.f', 'bad');
  expect(lines).toEqual([
    ['information Function.f.User one\\r\\ntwo', false],
    ['error Function.f bad', true],
  ]);
});

test('the longest category that host.json names decides, and default for the rest', () => {
  const { log, lines } = logged({
    default: 'Error',
    Function: 'Information',
    'Function.loud': 'Trace',
    'Function.quiet': 'None',
  });
  log('warning', 'Host.Startup', 'left out');
  log('information', 'Function.f.User', 'kept');
  log('debug', 'Function.f.User', 'left out');
  log('trace', 'Function.loud.User', 'kept too');
  log('critical', 'Function.quiet.User', 'left out');
  log('information', 'Functional', 'left out');
  expect(lines.map(([line]) => line)).toEqual([
    'information Function.f.User kept',
    'trace Function.loud.User kept too',
  ]);
});
