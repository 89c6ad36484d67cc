import { csvCell, csvLine } from '../../../../shared/audit/csv';
import { originOf } from '../../../../shared/audit/origin';

const TENANT = '7e9a0000-0000-4000-8000-000000000001';
const origin = (headers: Record<string, string>) => originOf(new Headers(headers), TENANT);

test('of the addresses only the one counts that the platform wrote, with or without a port', () => {
  const { address } = origin({ 'x-forwarded-for': '203.0.113.7' });
  expect(address).toMatch(/^[0-9a-f]{16}$/);
  expect(origin({ 'x-forwarded-for': '198.51.100.1, 203.0.113.7:50123' }).address).toBe(address);
  expect(origin({ 'x-forwarded-for': '203.0.113.8' }).address).not.toBe(address);
  expect(origin({ 'x-forwarded-for': '[2001:DB8::1]:443' })).toEqual(origin({ 'x-forwarded-for': '2001:db8::1' }));
});

test('in another tenant the same address has another hash', () => {
  const headers = new Headers({ 'x-forwarded-for': '203.0.113.7' });
  expect(originOf(headers, TENANT).address).not.toBe(originOf(headers, TENANT.replace('1', '2')).address);
});

test('an agent is shortened and keeps to plain characters; what is not there is left out', () => {
  expect(origin({ 'user-agent': `curl/8 ${'x'.repeat(300)}` }).agent).toHaveLength(120);
  expect(originOf({ get: (name) => (name === 'user-agent' ? 'a\r\nb\u2028c' : null) }, TENANT)).toEqual({
    agent: 'a??b?c',
  });
  expect(origin({})).toEqual({});
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '\n@x'])(
  'a spreadsheet does not take %j for a formula',
  (text) => {
    expect(csvCell(text).startsWith(`"'`)).toBe(true);
  },
);

test('quotes and line ends stay inside their cell', () => {
  expect(csvLine(['a"b', 'c\r\nd', '', 'e,f'])).toBe('"a""b","c\r\nd","","e,f"\r\n');
});
