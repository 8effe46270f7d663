import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Command } from '../../src/command/command.ts';
import { completionScript, wordOf } from '../../src/command/completion.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { runCommand } from './run-command.ts';

const has = (program: string) => spawnSync(program, ['-c', 'true']).status === 0;
const inBash = has('bash') ? test : test.skip;
const inZsh = has('zsh') ? test : test.skip;

const command = (usage: string[], help?: Command['help']): Command => ({
  usage,
  ...(help === undefined ? {} : { help }),
  run: async () => 0,
});

test('what may follow a command is found in its usage', (t) => {
  const word = wordOf(
    'key',
    'keys',
    command(['key add NAME [--replace] [--file FILE]', 'key list [--by name|age] [--wait S]']),
  );
  t.deepEqual(word.actions, ['add', 'list']);
  t.deepEqual(
    word.options.map(({ flag, value }) => [flag, value]),
    [
      ['--replace', null],
      ['--file', 'file'],
      ['--by', ['name', 'age']],
      ['--wait', 'text'],
      ['--help', null],
    ],
  );
});

test('the table of options counts above the usage, and says what they are for', (t) => {
  const options = { token: { type: 'string', value: '@FILE', about: 'the credential' } } as const;
  const word = wordOf('pub', '', command(['pub [--token X]'], { about: [], options, example: '' }));
  t.like(word.options[0], { flag: '--token', value: '@file', about: 'the credential' });
});

const words = [
  wordOf('start', "runs a relay: it's a start", command(['start [--config FILE] [--set KEY=VALUE]'])),
  wordOf('apikey', '', command(['apikey add', 'apikey list [--replace]'])),
  wordOf('top', '', command(['top [--by topics|links] [--token @FILE]'])),
];

/** What a shell prints that has read the script and then does `ask` for these words. */
function offered(
  t: ExecutionContext,
  shell: readonly string[],
  script: string,
  ask: (typed: string) => string,
  line: readonly string[],
): string[] {
  const file = join(temporaryFolder(t), 'completion');
  writeFileSync(file, script);
  const typed = line.map((word) => `'${word}'`).join(' ');
  const [program = '', ...flags] = shell;
  const asked = spawnSync(program, [...flags, '-c', `source '${file}'; ${ask(typed)}`], { encoding: 'utf8' });
  t.is(asked.stderr, '');
  return asked.stdout.split('\n').filter((one) => one !== '');
}

/** What bash offers for the last of these words. */
function offeredByBash(t: ExecutionContext, script: string, line: readonly string[]): string[] {
  const ask = (typed: string) =>
    `COMP_WORDS=(fanfare ${typed}); COMP_CWORD=${line.length}; _fanfare; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return offered(t, ['bash'], script, ask, line);
}

inBash('bash completes commands, actions, options and their values', (t) => {
  const script = completionScript('bash', words);
  const offers = (...line: string[]) => offeredByBash(t, script, line);
  t.deepEqual(offers(''), ['start', 'apikey', 'top', 'help']);
  t.deepEqual(offers('st'), ['start']);
  t.deepEqual(offers('apikey', ''), ['add', 'list', '--replace', '--help']);
  t.deepEqual(offers('start', '--c'), ['--config']);
  t.deepEqual(offers('start', '--config', ''), [], 'the shell completes files');
  t.deepEqual(offers('top', '--by', ''), ['topics', 'links']);
  t.deepEqual(offers('top', '--by', '=', 'l'), ['links']);
  t.deepEqual(offers('top', '--token', '@', 'x'), []);
  t.deepEqual(offers('nonsense', ''), []);
});

/** Those of zsh's own functions that the script uses. */
const ZSH = `compdef() { :; }; _describe() { print -l -- "\${(@P)2}"; }; compadd() { shift; print -l -- "$@"; }
_files() { print FILES; }; compset() { :; }`;

/** What zsh offers for the last of these words, by its own functions in our place. */
function offeredByZsh(t: ExecutionContext, script: string, line: readonly string[]): string[] {
  const ask = (typed: string) =>
    `words=(fanfare ${typed}); CURRENT=${line.length + 1}; PREFIX='${line.at(-1)}'; _fanfare`;
  return offered(t, ['zsh', '-f'], `${ZSH}\n${script}`, ask, line);
}

inZsh('zsh completes commands, actions, options and their values, and says what they are', (t) => {
  const script = completionScript('zsh', words);
  const offers = (...line: string[]) => offeredByZsh(t, script, line);
  t.deepEqual(offers(''), ["start:runs a relay: it's a start", 'apikey', 'top', 'help:lists the commands']);
  t.deepEqual(offers('apikey', '-'), ['add', 'list', '--replace', '--help:says what there is']);
  t.deepEqual(offers('start', '--config', ''), ['FILES']);
  t.deepEqual(offers('top', '--token', '@'), ['FILES']);
  t.deepEqual(offers('top', '--by', ''), ['topics', 'links']);
  t.deepEqual(offers('start', '--set', ''), []);
});

test('the program prints the completion of all of its commands', async (t) => {
  for (const shell of ['bash', 'zsh']) {
    const { code, out, err } = await runCommand(['completion', shell]);
    t.is(code, 0);
    t.is(err, '');
    for (const word of ['start', 'apikey', 'completion', '--config', 'revoke'])
      t.true(out.includes(word), word);
  }
  t.like(await runCommand(['completion', 'fish']), { code: 1, out: '' });
  t.like(await runCommand(['completion']), { code: 1, out: '' });
});
