import type { SQLInputValue } from 'node:sqlite';
import { GraphProblem, unsupportedQuery } from './problems';
import type { ObjectType } from './properties';
import type { Sql } from './store';

const common = ['id', 'displayName', 'mail', 'mailNickname', 'onPremisesSyncEnabled', 'createdDateTime'];
const userOnly = [
  'userPrincipalName',
  'userType',
  'accountEnabled',
  'givenName',
  'surname',
  'jobTitle',
  'department',
  'companyName',
  'officeLocation',
  'city',
  'state',
  'country',
  'usageLocation',
  'employeeId',
  'preferredLanguage',
  'otherMails',
];
const groupOnly = [
  'description',
  'mailEnabled',
  'securityEnabled',
  'groupTypes',
  'membershipRuleProcessingState',
  'isAssignableToRole',
  'resourceProvisioningOptions',
  'uniqueName',
  'renewedDateTime',
  'expirationDateTime',
];
const filterable: Record<ObjectType, ReadonlySet<string>> = {
  user: new Set([...common, ...userOnly]),
  group: new Set([...common, ...groupOnly]),
  servicePrincipal: new Set(['id', 'displayName', 'appId', 'accountEnabled', 'servicePrincipalType']),
};
const lists = new Set(['groupTypes', 'otherMails', 'resourceProvisioningOptions']);
const columns: Record<string, string> = {
  id: 'o.id',
  displayName: 'o.display_name',
  userPrincipalName: 'o.user_principal_name',
  mail: 'o.mail',
  mailNickname: 'o.mail_nickname',
  uniqueName: 'o.unique_name',
  appId: 'o.app_id',
};

const comparisons: Record<string, { sql: string; advanced: string | undefined }> = {
  eq: { sql: '=', advanced: undefined },
  ne: { sql: '<>', advanced: 'NotEqualsMatch' },
  ge: { sql: '>=', advanced: undefined },
  le: { sql: '<=', advanced: undefined },
  gt: { sql: '>', advanced: 'GreaterThan' },
  lt: { sql: '<', advanced: 'LessThan' },
};

/** A `$filter`, ready for the object table. */
export interface Filter {
  sql: Sql;
  /** The properties that it asks about. */
  properties: string[];
  /** The first operator that only advanced queries may use. */
  advanced: string | undefined;
}

interface Token {
  kind: 'text' | 'word' | 'punctuation';
  value: string;
  at: number;
}

const invalid = (message: string): GraphProblem =>
  new GraphProblem(400, 'BadRequest', `Invalid filter clause: ${message}`);

function tokens(source: string): Token[] {
  const pattern = /\s*(?:('(?:[^']|'')*')|([\w.:/-]+)|([(),]))/uy;
  const found: Token[] = [];
  let at = 0;
  while (source.slice(at).trim() !== '') {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match === null) throw invalid(`Syntax error at position ${at} in '${source}'.`);
    const [, quoted, word, punctuation] = match;
    if (quoted !== undefined) {
      found.push({ kind: 'text', value: quoted.slice(1, -1).replaceAll("''", "'"), at });
    } else {
      found.push({ kind: word === undefined ? 'punctuation' : 'word', value: word ?? punctuation ?? '', at });
    }
    at = pattern.lastIndex;
  }
  return found;
}

/** Alternatives that one filter may name, by `or` or by `in`. */
const CLAUSES_AT_MOST = 15;

function allowClauses(count: number): void {
  if (count <= CLAUSES_AT_MOST) return;
  throw unsupportedQuery(
    `Too many child clauses specified in search filter expression containing 'OR' operators: ${count}. Max allowed: ${CLAUSES_AT_MOST}.`,
  );
}

class Parser {
  private readonly tokens: Token[];
  private next = 0;
  readonly properties: string[] = [];
  advanced: string | undefined;

  constructor(
    private readonly source: string,
    private readonly types: readonly ObjectType[],
  ) {
    this.tokens = tokens(source);
  }

  parse(): Sql {
    const sql = this.either();
    if (this.next < this.tokens.length) throw this.unexpected();
    return sql;
  }

  private either(): Sql {
    let left = this.both();
    let clauses = 1;
    while (this.takeWord('or')) {
      left = combine('OR', left, this.both());
      clauses += 1;
    }
    allowClauses(clauses);
    return left;
  }

  private both(): Sql {
    let left = this.term();
    while (this.takeWord('and')) left = combine('AND', left, this.term());
    return left;
  }

  private term(): Sql {
    if (this.takeWord('not')) {
      this.need('Not');
      const inner = this.term();
      return { text: `NOT coalesce((${inner.text}), 0)`, params: inner.params };
    }
    if (this.take('(')) {
      const inner = this.either();
      this.expect(')');
      return { text: `(${inner.text})`, params: inner.params };
    }
    const name = this.word();
    if (/^(startswith|endswith)$/i.test(name)) return this.textFunction(name.toLowerCase());
    if (/\/any$/i.test(name)) return this.any(name.replace(/\/any$/i, ''));
    return this.comparison(this.column(name, false));
  }

  private textFunction(name: string): Sql {
    this.expect('(');
    const column = this.column(this.word(), false);
    this.expect(',');
    const value = this.text();
    this.expect(')');
    if (name === 'endswith') {
      this.need('endsWith');
      return { text: `substr(${column}, -length(?)) = ? COLLATE NOCASE`, params: [value, value] };
    }
    // A range, so that an index can answer; the last code point there is closes it.
    return {
      text: `(${column} >= ? COLLATE NOCASE AND ${column} < ? || char(1114111) COLLATE NOCASE)`,
      params: [value, value],
    };
  }

  /** `groupTypes/any(c:c eq 'Unified')` */
  private any(list: string): Sql {
    const column = this.column(list, true);
    this.expect('(');
    const opening = this.word();
    const variable = opening.split(':')[0] ?? '';
    const subject = opening.endsWith(':') ? this.word() : opening.slice(variable.length + 1);
    if (variable === '' || subject !== variable) throw this.unexpected();
    const inner = this.comparison('e.value');
    this.expect(')');
    return { text: `EXISTS (SELECT 1 FROM json_each(${column}) e WHERE ${inner.text})`, params: inner.params };
  }

  private comparison(column: string): Sql {
    const operator = this.word();
    if (operator === 'in') return this.among(column);
    const known = comparisons[operator];
    if (known === undefined) throw this.unexpected();
    if (known.advanced !== undefined) this.need(known.advanced);
    const value = this.literal();
    if (value === null) {
      if (operator !== 'eq' && operator !== 'ne') throw this.unexpected();
      return { text: `${column} IS ${operator === 'eq' ? '' : 'NOT '}NULL`, params: [] };
    }
    const text = `${column} ${known.sql} ? COLLATE NOCASE`;
    return { text: operator === 'ne' ? `(${text} OR ${column} IS NULL)` : text, params: [value] };
  }

  private among(column: string): Sql {
    this.expect('(');
    const values: SQLInputValue[] = [this.literal()];
    while (this.take(',')) values.push(this.literal());
    this.expect(')');
    allowClauses(values.length);
    return { text: `${column} COLLATE NOCASE IN (${values.map(() => '?').join(', ')})`, params: values };
  }

  private column(name: string, isList: boolean): string {
    if (!this.types.some((type) => filterable[type].has(name)) || lists.has(name) !== isList) {
      const resource =
        this.types.length > 1 ? 'DirectoryObject' : `${this.types[0]}`.replace(/^./, (c) => c.toUpperCase());
      throw unsupportedQuery(
        `Unsupported or invalid query filter clause specified for property '${name}' of resource '${resource}'.`,
      );
    }
    this.properties.push(name);
    return columns[name] ?? `json_extract(o.properties, '$.${name}')`;
  }

  private literal(): SQLInputValue {
    const token = this.tokens[this.next];
    if (token === undefined || token.kind === 'punctuation') throw this.unexpected();
    this.next += 1;
    if (token.kind === 'text') return token.value;
    if (token.value === 'null') return null;
    if (token.value === 'true') return 1;
    if (token.value === 'false') return 0;
    if (/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(token.value)) return new Date(token.value).toISOString();
    throw invalid(`Unrecognised literal '${token.value}' at position ${token.at} in '${this.source}'.`);
  }

  private text(): string {
    const token = this.tokens[this.next];
    if (token?.kind !== 'text') throw this.unexpected();
    this.next += 1;
    return token.value;
  }

  private word(): string {
    const token = this.tokens[this.next];
    if (token?.kind !== 'word') throw this.unexpected();
    this.next += 1;
    return token.value;
  }

  private take(punctuation: string): boolean {
    const token = this.tokens[this.next];
    if (token?.kind !== 'punctuation' || token.value !== punctuation) return false;
    this.next += 1;
    return true;
  }

  private takeWord(word: string): boolean {
    const token = this.tokens[this.next];
    if (token?.kind !== 'word' || token.value !== word) return false;
    this.next += 1;
    return true;
  }

  private expect(punctuation: string): void {
    if (!this.take(punctuation)) throw this.unexpected();
  }

  private need(operator: string): void {
    this.advanced ??= operator;
  }

  private unexpected(): GraphProblem {
    const position = this.tokens[this.next]?.at ?? this.source.length;
    return invalid(`Syntax error at position ${position} in '${this.source}'.`);
  }
}

const combine = (operator: 'AND' | 'OR', left: Sql, right: Sql): Sql => ({
  text: `(${left.text} ${operator} ${right.text})`,
  params: [...left.params, ...right.params],
});

/** Reads a `$filter` on these types; throws what Graph answers to one that it can't use. */
export function parseFilter(source: string, types: readonly ObjectType[]): Filter {
  const parser = new Parser(source, types);
  const sql = parser.parse();
  return { sql, properties: parser.properties, advanced: parser.advanced };
}

const searchable: Record<string, string> = {
  displayName: 'o.display_name',
  mail: 'o.mail',
  mailNickname: 'o.mail_nickname',
  userPrincipalName: 'o.user_principal_name',
  description: `json_extract(o.properties, '$.description')`,
};

function searchClause(quoted: string): Sql {
  const [, name, text] = /^"(\w+):(.*)"$/.exec(quoted) ?? [];
  const column = searchable[name ?? ''];
  const words = (text ?? '').split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  if (column === undefined || words.length === 0) {
    throw new GraphProblem(400, 'BadRequest', `Invalid search clause ${quoted}.`);
  }
  return { text: `(${words.map(() => `has_word(${column}, ?)`).join(' AND ')})`, params: words };
}

/** Reads a `$search` such as `"displayName:design" OR "description:licence"`. */
export function parseSearch(source: string): Sql {
  if (!/^\s*"[^"]*"(\s+(AND|OR)\s+"[^"]*")*\s*$/.test(source)) {
    throw new GraphProblem(400, 'BadRequest', `Syntax error: the search clause '${source}' must be in double quotes.`);
  }
  const parts = source.match(/"[^"]*"|AND|OR/g) ?? [];
  return parts
    .filter((part) => part.startsWith('"'))
    .map(searchClause)
    .reduce((left, right, index) => combine(parts[index * 2 - 1] === 'OR' ? 'OR' : 'AND', left, right));
}
