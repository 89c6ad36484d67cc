import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';

import type { Command } from './commands';
import { usage } from './failure';
import { operationOf } from './operations';
import type { Field, Operation } from './operations';
import { COMMON } from './settings';
import type { Given, Option } from './settings';
import type { Surroundings } from './surroundings';

/** A command as it was called. */
export interface Invocation {
  command: Command;
  operation: Operation;
  /** Whether the word `default` stood in the place of a group. */
  isDefault: boolean;
  /** What is given to the operation, by the names of its fields. */
  values: Record<string, unknown>;
  /** All options, by their names without dashes. */
  given: Given;
}

/** `userPrincipalName` as `user-principal-name`. */
export const optionName = (field: string): string => field.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

/** The fields that are given by their place, in order. */
export function positionalsOf(command: Command): Field[] {
  const { fields } = operationOf(command.operation);
  if (command.positionals === undefined) return fields.filter((field) => field.in === 'path');
  return command.positionals.flatMap((name) => fields.find((field) => field.name === name) ?? []);
}

/** The fields that are given as options. */
export function optionFieldsOf(command: Command): Field[] {
  const positionals = positionalsOf(command);
  return operationOf(command.operation).fields.filter(
    (field) =>
      !positionals.includes(field) &&
      command.without?.includes(field.name) !== true &&
      command.file !== field.name &&
      !(command.file === 'body' && field.in === 'body'),
  );
}

const FILE: Option = { value: 'file', short: 'f', isFile: true, help: 'A JSON file; - for standard input.' };

/** The options of a command besides its fields and those that all commands take. */
export const ownOptionsOf = (command: Command): Readonly<Record<string, Option>> => ({
  ...(command.file !== undefined && { file: FILE }),
  ...command.options,
});

/** How a value of the field is written. */
export function valueOf({ kind, choices }: Field): string {
  if (choices !== undefined) return choices.join('|');
  if (kind === 'json') return 'json|@file';
  return kind === 'list' ? 'text' : kind;
}

/** The command that the first words name, with what follows them; options that stand before it go with the rest. */
export function findCommand(
  args: readonly string[],
  commands: readonly Command[],
): { command: Command; rest: string[] } | undefined {
  const before: string[] = [];
  let start = 0;
  while (args[start]?.startsWith('-') === true) {
    const arg = args[start] ?? '';
    const takesValue = COMMON[arg.slice(2)]?.value !== undefined;
    before.push(...args.slice(start, start + (takesValue ? 2 : 1)));
    start += takesValue ? 2 : 1;
  }
  const words = args.slice(start);
  const command = commands
    .toSorted((a, b) => b.words.length - a.words.length)
    .find((each) => each.words.split(' ').every((word, index) => words[index] === word));
  if (command === undefined) return undefined;
  return { command, rest: [...before, ...words.slice(command.words.split(' ').length)] };
}

/** Reads what follows the words of a command. @throws {Failure} that says what is wrong with it */
export async function readArguments(
  command: Command,
  args: readonly string[],
  surroundings: Pick<Surroundings, 'readFile' | 'readInput'>,
): Promise<Invocation> {
  const fields = optionFieldsOf(command);
  const { given, positionals } = parsed(command, fields, args);
  const operation = operationOf(command.operation);
  if (given['help'] === true) return { command, operation, isDefault: false, values: {}, given };

  const wanted = positionalsOf(command);
  const isDefault = command.default !== undefined && positionals[0] === 'default';
  const values: Record<string, unknown> = {};
  for (const [index, field] of wanted.entries()) {
    const text = positionals[index];
    if (text !== undefined && !(isDefault && index === 0)) values[field.name] = checked(`<${field.name}>`, text, field);
  }
  for (const field of fields) {
    const value = given[optionName(field.name)];
    if (value !== undefined)
      values[field.name] = await converted(`--${optionName(field.name)}`, value, field, surroundings);
  }
  const missing = [
    ...wanted.filter((_, index) => positionals[index] === undefined).map(({ name }) => `<${name}>`),
    ...fields
      .filter((field) => field.required && values[field.name] === undefined)
      .map(({ name }) => `--${optionName(name)}`),
  ];
  if (missing.length > 0) throw usage(`${command.words} needs ${missing.join(', ')}.`);
  const extra = positionals.slice(wanted.length);
  if (extra.length > 0)
    throw usage(`${command.words} takes nothing after its ${String(wanted.length)} arguments: ${extra.join(' ')}`);
  return {
    command,
    operation: isDefault && command.default !== undefined ? operationOf(command.default) : operation,
    isDefault,
    values,
    given,
  };
}

function parsed(command: Command, fields: readonly Field[], args: readonly string[]) {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { value, short }] of Object.entries({ ...COMMON, ...ownOptionsOf(command) }))
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) };
  for (const { name, kind } of fields)
    options[optionName(name)] = { type: kind === 'boolean' ? 'boolean' : 'string', multiple: kind === 'list' };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      allowNegative: true,
    });
    const given: Given = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : value]),
    );
    return { given, positionals };
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function checked(where: string, text: string, { choices, kind }: Field): string | number {
  if (choices !== undefined && !choices.includes(text)) throw usage(`${where} is one of ${choices.join(', ')}.`);
  if (kind === 'integer' && !/^-?\d{1,15}$/.test(text)) throw usage(`${where} is a whole number.`);
  if (kind === 'number' && (text.trim() === '' || !Number.isFinite(Number(text)))) throw usage(`${where} is a number.`);
  return kind === 'integer' || kind === 'number' ? Number(text) : text;
}

async function converted(
  where: string,
  value: NonNullable<Given[string]>,
  field: Field,
  surroundings: Pick<Surroundings, 'readFile' | 'readInput'>,
): Promise<unknown> {
  if (Array.isArray(value)) return value.map((each) => checked(where, each, field));
  if (typeof value === 'boolean') return value;
  if (field.kind !== 'json') return checked(where, value, field);
  return value.startsWith('@') ? await readJsonFile(value.slice(1), surroundings) : parsedJson(value, where);
}

/** JSON from a file, or from standard input where it is named `-`. @throws {Failure} where there is none */
export async function readJsonFile(
  path: string,
  { readFile, readInput }: Pick<Surroundings, 'readFile' | 'readInput'>,
): Promise<unknown> {
  let text: string;
  try {
    text = path === '-' ? await readInput() : await readFile(path);
  } catch (error) {
    throw usage(`${path} can’t be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parsedJson(text, path === '-' ? 'Standard input' : path);
}

function parsedJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw usage(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
