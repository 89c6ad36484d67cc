import { optionFieldsOf, optionName, ownOptionsOf, positionalsOf, valueOf } from './arguments';
import { commands } from './commands';
import type { Command } from './commands';
import { operationOf } from './operations';
import type { Field } from './operations';
import { COMMON } from './settings';
import type { Option } from './settings';
import { width } from './terminal';

/** Commands that ask nothing of the API. */
export const OWN_COMMANDS: readonly { words: string; arguments?: string; choices?: readonly string[]; help: string }[] =
  [
    { words: 'token', help: 'Sign in and print an access token: export GATEHOUSE_ACCESS_TOKEN=$(gatehouse token)' },
    {
      words: 'completion',
      arguments: '<shell>',
      choices: ['bash', 'zsh', 'fish', 'powershell'],
      help: 'Print the script that completes words in a shell: eval "$(gatehouse completion bash)"',
    },
    { words: 'version', help: 'Print the version.' },
    { words: 'help', arguments: '[<command>]', help: 'Say what there is, or what a command takes.' },
  ];

const LINE = 100;
const INDENT = '  ';

/** Two columns, the second wrapped. */
function listed(rows: readonly (readonly [string, string])[]): string {
  const first = Math.min(34, Math.max(0, ...rows.map(([left]) => width(left))));
  return rows
    .map(([left, right]) => {
      const [line = '', ...more] = wrapped(right, LINE - first - 2 * INDENT.length);
      const gap = width(left) > first ? `\n${INDENT}${' '.repeat(first)}` : ' '.repeat(first - width(left));
      const rest = more.map((each) => `\n${INDENT}${' '.repeat(first)}${INDENT}${each}`).join('');
      return `${INDENT}${left}${gap}${INDENT}${line}${rest}`.trimEnd();
    })
    .join('\n');
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const optionRow = ([name, { value, short, help, choices }]: [string, Option]): [string, string] => [
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${choices?.join('|') ?? value}>`}`,
  help,
];

const fieldRow = (field: Field): [string, string] => {
  const { name, kind, description, required, default: given } = field;
  const remarks = [
    ...(kind === 'list' ? ['Can be given several times.'] : []),
    ...(given === undefined ? [] : [`${String(given)} where nothing is said.`]),
    ...(required ? ['Required.'] : []),
  ];
  return [
    kind === 'boolean' ? `--${optionName(name)}` : `--${optionName(name)} <${valueOf(field)}>`,
    [description ?? '', ...remarks].join(' ').trim(),
  ];
};

const place =
  (command: Command) =>
  (field: Field, index: number): string => {
    if (field.choices !== undefined) return `<${field.choices.join('|')}>`;
    return command.default !== undefined && index === 0 ? `<${field.name}|default>` : `<${field.name}>`;
  };

const callOf = (command: Command): string => [command.words, ...positionalsOf(command).map(place(command))].join(' ');

/** What there is. */
export function generalHelp(): string {
  return [
    'gatehouse <command> [arguments] [options]',
    '',
    'Commands',
    listed([
      ...commands.map((command): [string, string] => [callOf(command), operationOf(command.operation).summary]),
      ...OWN_COMMANDS.map(({ words, arguments: more, help }): [string, string] => [
        more === undefined ? words : `${words} ${more}`,
        help,
      ]),
    ]),
    '',
    'Options of all commands',
    listed(Object.entries(COMMON).map(optionRow)),
    '',
    'Exit codes',
    listed([
      ['0', 'Done.'],
      ['1', 'Something unexpected.'],
      ['2', 'What was given is wrong.'],
      ['3', 'Not signed in, or not allowed.'],
      ['4', 'Not found, or not for you to see.'],
      ['5', 'Refused: by a rule, or because it was changed or decided before.'],
      ['6', 'Try later: too many calls, or not available now.'],
      ['7', 'The answer is no: a request that was waited for was not granted, a dry run was not eligible.'],
      ['8', 'Waited as long as --timeout says; the request is still open.'],
    ]),
  ].join('\n');
}

/** What a command takes. */
export function helpOf(command: Command): string {
  const { summary, rule, roles } = operationOf(command.operation);
  const positionals = positionalsOf(command);
  const options = [...optionFieldsOf(command).map(fieldRow), ...Object.entries(ownOptionsOf(command)).map(optionRow)];
  const may = roles === null || roles.length === 0 ? '' : ` App roles: ${roles.join(', ')}.`;
  const words = positionals.flatMap((field, index): [string, string][] => {
    const said =
      field.description ??
      (command.default !== undefined && index === 0 ? 'default: of groups without one of their own' : '');
    return said === '' ? [] : [[place(command)(field, index), said]];
  });
  return [
    `gatehouse ${callOf(command)}${options.length === 0 ? '' : ' [options]'}`,
    '',
    `${summary}.`,
    `Who may: ${rule}${may}`,
    ...(words.length === 0 ? [] : ['', 'Arguments', listed(words)]),
    ...(options.length === 0 ? [] : ['', 'Options', listed(options)]),
    '',
    'Options of all commands: gatehouse help',
  ].join('\n');
}
