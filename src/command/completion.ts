import type { Command } from './command.ts';

/** A word of the command line, and what may follow it. */
export interface Word {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Completed[];
  /** Words that may stand directly behind it: `add`, `list`. */
  readonly actions: readonly string[];
}

interface Completed {
  readonly flag: string;
  readonly about: string;
  /** What stands behind the option. Null: nothing does. */
  readonly value: 'file' | '@file' | 'text' | readonly string[] | null;
}

/** What the shell is to know of a command: from its table of options, or from its usage where it has none. Pure. */
export function wordOf(name: string, about: string, { usage, help }: Command): Word {
  const known = Object.entries(help?.options ?? {}).map(
    ([option, { about, ...rest }]): Completed => ({
      flag: `--${option}`,
      about,
      value: 'value' in rest ? expected(rest.value) : null,
    }),
  );
  const written = usage.flatMap((line) =>
    [...line.matchAll(/(--[a-z][\w-]*)(?: ([^\s\]]+))?/g)].map(
      ([, flag = '', value]): Completed => ({
        flag,
        about: '',
        value: value === undefined ? null : expected(value),
      }),
    ),
  );
  const options = new Map([...written, ...known].map((option) => [option.flag, option]));
  const actions = usage.flatMap((line) => /^\w+ ([a-z][a-z|]*)/.exec(line)?.[1]?.split('|') ?? []);
  return {
    name,
    about,
    options: [...options.values(), { flag: '--help', about: 'says what there is', value: null }],
    actions: [...new Set(actions)],
  };
}

function expected(value: string): Completed['value'] {
  if (value === '@FILE') return '@file';
  if (value === 'FILE') return 'file';
  return /^[a-z]+(\|[a-z]+)+$/.test(value) ? value.split('|') : 'text';
}

export const shells = ['bash', 'zsh'] as const;

/** The script that teaches a shell these words. Pure. */
export function completionScript(shell: (typeof shells)[number], words: readonly Word[]): string {
  return shell === 'bash' ? bash(words) : zsh(words);
}

function bash(words: readonly Word[]): string {
  const values = words.flatMap(({ name, options }) =>
    options.flatMap(({ flag, value }) => {
      if (value === null) return [];
      const then =
        value === 'file'
          ? 'return'
          : value === '@file'
            ? `cur=\${cur#@}; return`
            : value === 'text'
              ? 'compopt +o default 2>/dev/null; return'
              : `offered='${value.join(' ')}'`;
      return [`    ${name}:${flag}) ${then} ;;`];
    }),
  );
  const offers = words.map(
    ({ name, options, actions }) =>
      `      ${name}) offered='${[...actions, ...options.map(({ flag }) => flag)].join(' ')}' ;;`,
  );
  return `# Completion of fanfare for bash. In ~/.bashrc: source <(fanfare completion bash)
_fanfare() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} offered=
  # Bash takes = and @ for words of their own.
  if [[ $cur == = || $cur == @ ]]; then
    cur=
  elif [[ $prev == = || $prev == @ ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${words.map(({ name }) => name).join(' ')} help' -- "$cur"))
    return
  fi
  # Nothing offered: the shell completes names of files.
  case \${COMP_WORDS[1]}:$prev in
${values.join('\n')}
  esac
  if [[ -z $offered ]]; then
    case \${COMP_WORDS[1]} in
${offers.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$offered" -- "$cur"))
}
complete -o default -F _fanfare fanfare`;
}

function zsh(words: readonly Word[]): string {
  const listed = words.map(({ name, about }) => `      '${quoted(name, about)}'`);
  const values = words.flatMap(({ name, options }) =>
    options.flatMap(({ flag, value }) => {
      if (value === null) return [];
      const then =
        value === 'file'
          ? '_files; return'
          : value === '@file'
            ? 'compset -P @; _files; return'
            : value === 'text'
              ? 'return'
              : `compadd -- ${value.join(' ')}; return`;
      return [`    ${name}:${flag}) ${then} ;;`];
    }),
  );
  const offers = words.map(({ name, options, actions }) => {
    const all = [
      ...actions.map((action) => quoted(action, '')),
      ...options.map(({ flag, about }) => quoted(flag, about)),
    ];
    return `    ${name}) offered=(${all.map((one) => `'${one}'`).join(' ')}) ;;`;
  });
  return `#compdef fanfare
# Completion of fanfare for zsh. In ~/.zshrc, behind compinit: source <(fanfare completion zsh)
_fanfare() {
  local -a offered
  if ((CURRENT == 2)); then
    offered=(
${listed.join('\n')}
      'help:lists the commands'
    )
    _describe command offered
    return
  fi
  case $words[2]:$words[CURRENT-1] in
${values.join('\n')}
  esac
  case $words[2] in
${offers.join('\n')}
  esac
  _describe option offered || _files
}
if [[ $funcstack[1] == _fanfare ]]; then
  _fanfare "$@"
else
  compdef _fanfare fanfare
fi`;
}

/** A name and what it is, as `_describe` takes them, for single quotes. */
function quoted(name: string, about: string): string {
  const text = about === '' ? name : `${name}:${about}`;
  return text.replaceAll("'", "'\\''");
}
