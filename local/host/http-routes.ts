import type { RegisteredFunction } from './functions-core';
import { decodeSegment } from './http-messages';

/** A function that a request is for, with the route's parameters. */
export interface RouteMatch {
  fn: RegisteredFunction;
  params: Record<string, string>;
}

interface Segment {
  /** What a path segment must match; its groups are the parameters. */
  pattern: RegExp;
  names: string[];
  accepts: ((value: string) => boolean)[];
  /** Lower goes first: literal, constrained parameter, parameter, constrained rest, rest. */
  rank: number;
  optional: boolean;
  rest: boolean;
  fallback: string | undefined;
}

/** A function's HTTP route, ready to be matched. */
export interface Route {
  fn: RegisteredFunction;
  template: string;
  methods: readonly string[];
  segments: Segment[];
}

type Constraint = (value: string) => boolean;

const number = (value: string): number => (value.trim() === '' ? Number.NaN : Number(value));
const between = (value: number, low: number, high: number): boolean => value >= low && value <= high;
const isInteger = (value: string, low: number, high: number): boolean =>
  /^[+-]?\d+$/.test(value) && between(Number(value), low, high);

function constraint(name: string, argument: string): Constraint {
  const [low = Number.NaN, high = low] = argument.split(',').map(Number);
  switch (name) {
    case 'int':
      return (value) => isInteger(value, -(2 ** 31), 2 ** 31 - 1);
    case 'long':
      return (value) => isInteger(value, -(2 ** 63), 2 ** 63);
    case 'guid':
      return (value) => /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value);
    case 'alpha':
      return (value) => /^[a-z]*$/i.test(value);
    case 'bool':
      return (value) => /^(true|false)$/i.test(value);
    case 'decimal':
    case 'double':
    case 'float':
      return (value) => Number.isFinite(number(value));
    case 'datetime':
      return (value) => !Number.isNaN(Date.parse(value));
    case 'length':
      return (value) => between(value.length, low, high);
    case 'minlength':
      return (value) => value.length >= low;
    case 'maxlength':
      return (value) => value.length <= low;
    case 'min':
      return (value) => number(value) >= low;
    case 'max':
      return (value) => number(value) <= low;
    case 'range':
      return (value) => between(number(value), low, high);
    case 'required':
      return (value) => value !== '';
    case 'regex': {
      const expression = new RegExp(
        argument.replaceAll('{{', '{').replaceAll('}}', '}').replaceAll('[[', '[').replaceAll(']]', ']'),
        'i',
      );
      return (value) => expression.test(value);
    }
    default:
      throw new Error(`The constraint '${name}' is not one that routes know.`);
  }
}

const PARAMETER = /\{(\*{0,2})([A-Za-z_][\w-]*)((?::[A-Za-z]+(?:\((?:[^()]|\([^()]*\))*\))?)*)(?:=([^}?]*))?(\?)?\}/g;
const CONSTRAINT = /:([A-Za-z]+)(?:\(((?:[^()]|\([^()]*\))*)\))?/g;

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function parseSegment(text: string): Segment {
  const names: string[] = [];
  const accepts: Constraint[] = [];
  let pattern = '';
  let constrained = false;
  let optional = false;
  let rest = false;
  let fallback: string | undefined;
  let at = 0;
  for (const match of text.matchAll(PARAMETER)) {
    const [whole, stars = '', name = '', constraints = '', value, question] = match;
    pattern += escape(text.slice(at, match.index));
    at = match.index + whole.length;
    rest ||= stars !== '';
    optional ||= question !== undefined;
    fallback ??= value;
    pattern += rest ? '(.*)' : '(.+?)';
    names.push(name);
    const tests = [...constraints.matchAll(CONSTRAINT)].map(([, kind = '', argument = '']) =>
      constraint(kind.toLowerCase(), argument),
    );
    constrained ||= tests.length > 0;
    accepts.push((given) => tests.every((test) => test(given)));
  }
  const left = text.slice(at);
  if (/[{}]/.test(left)) throw new Error(`The route segment '${text}' is malformed.`);
  pattern += escape(left);
  const rank = names.length === 0 ? 0 : (rest ? 3 : 1) + (constrained ? 0 : 1);
  return {
    pattern: new RegExp(`^${pattern}$`, 'is'),
    names,
    accepts,
    rank,
    optional: optional || fallback !== undefined,
    rest,
    fallback,
  };
}

/** Splits at slashes that are not inside a parameter, since a constraint may contain some. */
function split(template: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of template) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === '/' && depth === 0) parts.push('');
    else parts.push((parts.pop() ?? '') + character);
  }
  return parts.filter((part) => part !== '');
}

/** Reads the route of an HTTP function; throws where it is malformed. */
export function createRoute(fn: RegisteredFunction, routePrefix: string): Route {
  const { route, methods } = fn.trigger;
  const own = typeof route === 'string' ? route : fn.name;
  const template = [routePrefix, own]
    .map((part) => part.replace(/^\/+|\/+$/g, ''))
    .filter((part) => part !== '')
    .join('/');
  const allowed = Array.isArray(methods) ? methods.map((method) => String(method).toUpperCase()) : [];
  return { fn, template, methods: allowed, segments: split(template).map(parseSegment) };
}

/** Orders routes so that the first that matches is the one to take: literal before parameter before rest. */
export function byPrecedence(a: Route, b: Route): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let index = 0; index < length; index += 1) {
    const order = (a.segments[index]?.rank ?? -1) - (b.segments[index]?.rank ?? -1);
    if (order !== 0) return order;
  }
  return 0;
}

function matchSegment(segment: Segment, value: string, params: Record<string, string>): boolean {
  const match = segment.pattern.exec(value);
  if (!match) return false;
  return segment.names.every((name, index) => {
    const given = match[index + 1] ?? '';
    if (given !== '') params[name] = given;
    return segment.accepts[index]?.(given) ?? true;
  });
}

function matchRoute(route: Route, parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  let at = 0;
  for (const segment of route.segments) {
    const part = parts[at];
    if (segment.rest) {
      const rest = parts.slice(at).join('/') || (segment.fallback ?? '');
      return (rest === '' && segment.names.length === 1) || matchSegment(segment, rest, params) ? params : undefined;
    }
    if (part === undefined) {
      if (!segment.optional) return undefined;
      const [name] = segment.names;
      if (name !== undefined && segment.fallback !== undefined) params[name] = segment.fallback;
    } else if (!matchSegment(segment, part, params)) return undefined;
    at += 1;
  }
  return parts.length > at ? undefined : params;
}

/** Finds the function for a request; `routes` are ordered by precedence, the path begins with a slash. */
export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch | undefined {
  const parts = path.split('/').slice(1).map(decodeSegment);
  if (parts.at(-1) === '') parts.pop();
  for (const route of routes) {
    if (route.methods.length > 0 && !route.methods.includes(method)) continue;
    const params = matchRoute(route, parts);
    if (params) return { fn: route.fn, params };
  }
  return undefined;
}
