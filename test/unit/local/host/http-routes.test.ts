import type { RegisteredFunction } from '../../../../local/host/functions-core';
import type { Route } from '../../../../local/host/http-routes';
import { byPrecedence, createRoute, findRoute } from '../../../../local/host/http-routes';

function fn(name: string, route: string | undefined, methods: string[]): RegisteredFunction {
  const trigger = { type: 'httpTrigger', direction: 'in', key: 'http', route, methods };
  return { id: name, name, metadata: { name, bindings: {} }, callback: () => undefined, trigger };
}
function routesOf(routes: Record<string, string>, methods = ['GET'], prefix = 'api'): Route[] {
  return Object.entries(routes)
    .map(([name, route]) => createRoute(fn(name, route, methods), prefix))
    .sort(byPrecedence);
}
const found = (routes: Route[], path: string, method = 'GET'): unknown => {
  const match = findRoute(routes, method, path);
  return match && [match.fn.name, match.params];
};

test('a literal goes before a constrained parameter, that before a free one, and the rest goes last', () => {
  const routes = routesOf({
    rest: 'things/{*path}',
    free: 'things/{id}',
    number: 'things/{n:int}',
    literal: 'things/new',
    part: 'things/{id}/parts',
  });
  expect(found(routes, '/api/things/new')).toEqual(['literal', {}]);
  expect(found(routes, '/api/things/12')).toEqual(['number', { n: '12' }]);
  expect(found(routes, '/api/things/x')).toEqual(['free', { id: 'x' }]);
  expect(found(routes, '/api/things/x/parts')).toEqual(['part', { id: 'x' }]);
  expect(found(routes, '/api/things/x/y/z')).toEqual(['rest', { path: 'x/y/z' }]);
});

test.each([
  ['int', '-7', '7.5'],
  ['guid', '8F14E45F-CEEA-467E-9B2A-000000000001', '8f14'],
  ['alpha', 'Ab', 'a1'],
  ['bool', 'True', 'yes'],
  ['double', '1.5e3', 'x'],
  ['datetime', '2030-01-01', 'someday'],
  ['length(2,3)', 'abc', 'abcd'],
  ['minlength(2)', 'ab', 'a'],
  ['maxlength(2)', 'ab', 'abc'],
  ['range(1,5)', '5', '6'],
  ['min(3)', '3', '2'],
  ['regex(^[a-z]{{2}}$)', 'ab', 'abc'],
  ['alpha:minlength(2)', 'ab', 'a'],
])('the constraint %s lets %s through and not %s', (constraint, good, bad) => {
  const routes = routesOf({ only: `at/{x:${constraint}}` });
  expect(found(routes, `/api/at/${good}`)).toEqual(['only', { x: good }]);
  expect(found(routes, `/api/at/${bad}`)).toBeUndefined();
});

test('an optional parameter may be missing, a default then takes its place', () => {
  const routes = routesOf({ optional: 'a/{id?}', fallback: 'b/{id=first}', file: 'c/{*path}' });
  expect(found(routes, '/api/a')).toEqual(['optional', {}]);
  expect(found(routes, '/api/a/')).toEqual(['optional', {}]);
  expect(found(routes, '/api/b')).toEqual(['fallback', { id: 'first' }]);
  expect(found(routes, '/api/c')).toEqual(['file', {}]);
});

test('paths match whatever their case, and parameters keep theirs', () => {
  expect(found(routesOf({ one: 'Things/{id}' }), '/API/tHINGS/AbC%2Fd')).toEqual(['one', { id: 'AbC/d' }]);
});

test('a segment may mix text and parameters', () => {
  const routes = routesOf({ file: 'files/{name}.{extension:alpha}' });
  expect(found(routes, '/api/files/report.pdf')).toEqual(['file', { name: 'report', extension: 'pdf' }]);
  expect(found(routes, '/api/files/report.7z')).toBeUndefined();
});

test('functions may share a route with different methods, and an undeclared method finds none', () => {
  const routes = [createRoute(fn('get', 'x', ['GET']), 'api'), createRoute(fn('put', 'x', ['put']), 'api')].sort(
    byPrecedence,
  );
  expect(found(routes, '/api/x', 'PUT')).toEqual(['put', {}]);
  expect(found(routes, '/api/x', 'DELETE')).toBeUndefined();
});

test('without a route of its own a function is reached by its name, and a prefix may be empty', () => {
  expect(found([createRoute(fn('hello', undefined, ['GET']), '')], '/hello')).toEqual(['hello', {}]);
});

test('a route that cannot be read is refused', () => {
  expect(() => createRoute(fn('f', 'a/{id', ['GET']), 'api')).toThrow('malformed');
  expect(() => createRoute(fn('f', 'a/{id:colour}', ['GET']), 'api')).toThrow("'colour'");
});
