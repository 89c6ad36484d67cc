// Scripts that complete words in a shell: static, from the same table as everything else.
import { optionFieldsOf, optionName, ownOptionsOf, positionalsOf } from './arguments';
import { commands } from './commands';
import { OWN_COMMANDS } from './help';
import { COMMON } from './settings';
import type { Option } from './settings';

interface Completed {
  words: string;
  options: Map<string, Option>;
  /** Words that can stand at each place. */
  places: readonly (readonly string[])[];
}

const optionsOf = (options: Readonly<Record<string, Option>>): [string, Option][] =>
  Object.entries(options).flatMap(([name, option]): [string, Option][] => [
    [`--${name}`, option],
    ...(option.short === undefined ? [] : [[`-${option.short}`, option] satisfies [string, Option]]),
  ]);

const completed: readonly Completed[] = [
  ...commands.map((command): Completed => ({
    words: command.words,
    options: new Map([
      ...optionFieldsOf(command).map(({ name, kind, choices, description = '' }): [string, Option] => [
        `--${optionName(name)}`,
        {
          help: description,
          ...(kind !== 'boolean' && { value: kind }),
          ...(choices !== undefined && { choices }),
        },
      ]),
      ...optionsOf(ownOptionsOf(command)),
      ...optionsOf(COMMON),
    ]),
    places: positionalsOf(command).map(({ choices }, index) =>
      choices !== undefined ? choices : command.default !== undefined && index === 0 ? ['default'] : [],
    ),
  })),
  ...OWN_COMMANDS.map(({ words, choices }): Completed => ({
    words,
    options: new Map(words === 'token' ? optionsOf(COMMON) : []),
    places: words === 'help' ? [] : choices === undefined ? [] : [choices],
  })),
];

/** The words that can follow each beginning of a command, the empty one included. */
const following: ReadonlyMap<string, readonly string[]> = (() => {
  const found = new Map<string, Set<string>>();
  for (const { words } of completed) {
    const parts = words.split(' ');
    for (const [index, part] of parts.entries()) {
      const before = parts.slice(0, index).join(' ');
      found.set(before, (found.get(before) ?? new Set()).add(part));
    }
  }
  return new Map([...found].map(([before, parts]) => [before, [...parts]]));
})();

/** What can stand after a command and so many arguments. */
const wordsAt: ReadonlyMap<string, readonly string[]> = new Map([
  ...[...following].map(([before, parts]): [string, readonly string[]] => [`${before}:0`, parts]),
  ...completed.flatMap(({ words, places }) =>
    places.flatMap((choices, index): [string, readonly string[]][] =>
      choices.length === 0 ? [] : [[`${words}:${String(index)}`, choices]],
    ),
  ),
]);

const beginnings = (): string[] => [
  ...new Set([...completed.map(({ words }) => words), ...following.keys()].filter((words) => words !== '')),
];

const takingValue = (): string[] => [
  ...new Set(
    completed.flatMap(({ options }) =>
      [...options].flatMap(([name, { value }]) => (value === undefined ? [] : [name])),
    ),
  ),
];

const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function bash(): string {
  const values = completed.flatMap(({ words, options }) =>
    [...options].flatMap(([name, { choices, isFile }]) => {
      if (choices !== undefined)
        return [`    ${single(`${words}:${name}`)}) _gatehouse_words ${single(choices.join(' '))}; return ;;`];
      return isFile === true ? [`    ${single(`${words}:${name}`)}) _gatehouse_files; return ;;`] : [];
    }),
  );
  return `# Completes gatehouse in bash, version 3.2 or later.
_gatehouse_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_gatehouse_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$cur"))
  compopt -o filenames 2>/dev/null
}
_gatehouse() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local command='' candidate word skip='' given=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${takingValue().join('|')}) skip=yes ;;
      -*) ;;
      *)
        candidate="\${command:+$command }$word"
        case $candidate in
          ${beginnings().map(single).join('|')}) command=$candidate ;;
          *) given=$((given + 1)) ;;
        esac
        ;;
    esac
  done
  case "$command:$prev" in
${values.join('\n')}
  esac
  # the value of any other option is free
  [[ -n $skip ]] && return
  if [[ $cur == -* ]]; then
    case $command in
${completed.map(({ words, options }) => `      ${single(words)}) _gatehouse_words ${single([...options.keys()].join(' '))} ;;`).join('\n')}
    esac
    return
  fi
  case "$command:$given" in
${[...wordsAt].map(([where, words]) => `    ${single(where)}) _gatehouse_words ${single(words.join(' '))} ;;`).join('\n')}
  esac
}
complete -F _gatehouse gatehouse
`;
}

const zsh = (): string => `# Completes gatehouse in zsh, by its own emulation of bash's completion.
autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bash()}`;

function fish(): string {
  const on = (words: string): string => `-n ${single(`test (__gatehouse_command) = "${words}"`)}`;
  const lines = [
    ...[...following].map(([before, parts]) => `complete -c gatehouse ${on(before)} -a ${single(parts.join(' '))}`),
    ...completed.flatMap(({ words, places }) => {
      const all = places.flat();
      return all.length === 0 ? [] : [`complete -c gatehouse ${on(words)} -a ${single(all.join(' '))}`];
    }),
    ...completed.flatMap(({ words, options }) =>
      [...options].map(([name, { value, choices, isFile, help }]) => {
        const flag = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
        const taken =
          choices !== undefined ? ` -x -a ${single(choices.join(' '))}` : isFile === true ? ' -r -F' : ' -x';
        return `complete -c gatehouse ${on(words)} ${flag}${value === undefined ? '' : taken} -d ${single(help)}`;
      }),
    ),
  ];
  return `# Completes gatehouse in fish.
function __gatehouse_command
  set -l command
  set -l skip no
  for word in (commandline -opc)[2..-1]
    if test $skip = yes
      set skip no
      continue
    end
    switch $word
      case ${takingValue().join(' ')}
        set skip yes
      case '-*'
      case '*'
        set -l candidate (string join ' ' $command $word)
        if contains -- "$candidate" ${beginnings().map(single).join(' ')}
          set command "$candidate"
        end
    end
  end
  echo "$command"
end
complete -c gatehouse -f
${lines.join('\n')}
`;
}

function powershell(): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const list = (words: readonly string[]): string => `@(${words.map(quoted).join(', ')})`;
  const entries = (all: readonly (readonly [string, readonly string[]])[]): string =>
    all.map(([key, words]) => `    ${quoted(key)} = ${list(words)}`).join('\n');
  const choices = completed.flatMap(({ words, options }) =>
    [...options].flatMap(([name, option]): [string, readonly string[]][] =>
      option.choices === undefined ? [] : [[`${words}:${name}`, option.choices]],
    ),
  );
  return `# Completes gatehouse in PowerShell.
Register-ArgumentCompleter -Native -CommandName gatehouse -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $wordsAt = @{
${entries([...wordsAt])}
  }
  $options = @{
${entries(completed.map(({ words, options }) => [words, [...options.keys()]] as const))}
  }
  $choices = @{
${entries(choices)}
  }
  $takingValue = ${list(takingValue())}
  $beginnings = ${list(beginnings())}
  $before = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $command = ''
  $given = 0
  $skip = $false
  foreach ($word in $before) {
    if ($skip) { $skip = $false; continue }
    if ($takingValue -ccontains $word) { $skip = $true; continue }
    if ($word.StartsWith('-')) { continue }
    $candidate = "$command $word".Trim()
    if ($beginnings -ccontains $candidate) { $command = $candidate } else { $given++ }
  }
  $found = @()
  if ($skip) { $found = $choices["\${command}:$($before[-1])"] }
  elseif ($wordToComplete.StartsWith('-')) { $found = $options[$command] }
  else { $found = $wordsAt["\${command}:$given"] }
  @($found) | Where-Object { $_ -and $_.StartsWith($wordToComplete) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}

/** The script for a shell; undefined for one that we have none for. */
export function completionFor(shell: string): string | undefined {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return zsh();
    case 'fish':
      return fish();
    case 'powershell':
      return powershell();
    default:
      return undefined;
  }
}
