import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR, errorLines, WARNING } from '../host/journal.ts';
import { redactText } from '../secret/redaction.ts';
import { apikeyCommand } from './apikey-command.ts';
import { attachCommand, evalCommand, reloadCommand, rpcCommand } from './attach-command.ts';
import { benchCommand } from './bench-command.ts';
import {
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  helpOf,
  type Place,
  programOf,
  usageOf,
} from './command.ts';
import { type Word, wordOf } from './completion.ts';
import { completionCommand } from './completion-command.ts';
import { configCommand } from './config-command.ts';
import { interruption } from './interruption.ts';
import { pidCommand, pingCommand, statusCommand, stopCommand } from './lifecycle-command.ts';
import { passwordCommand } from './password-command.ts';
import { pubCommand } from './pub-command.ts';
import { reportCommand } from './report-command.ts';
import {
  checkCommand,
  consoleCommand,
  daemonCommand,
  restartCommand,
  startCommand,
} from './start-command.ts';
import { Stdout } from './stdout.ts';
import { subCommand } from './sub-command.ts';
import { topCommand } from './top-command.ts';
import { versionCommand, versionsCommand } from './versions-command.ts';

type Row = readonly [listed: string, about: string, of: Readonly<Record<string, Command>>];

/** The commands by the first word of the command line, as `help` lists them: their words, and what they do. */
const table: readonly Row[] = [
  ['start, foreground', 'runs a relay in this process', { start: startCommand, foreground: startCommand }],
  ['daemon', 'runs one in the background, and returns when it is ready', { daemon: daemonCommand }],
  ['console', 'the same, and attaches to it', { console: consoleCommand }],
  ['stop, restart', 'waits for the end of a drain', { stop: stopCommand, restart: restartCommand }],
  ['ping [--wait S]', 'pong when it serves', { ping: pingCommand }],
  ['status, pid', '0 and its pid when it runs', { status: statusCommand, pid: pidCommand }],
  [
    'attach',
    'a prompt in the running relay; also remote_console, remote',
    { attach: attachCommand, remote_console: attachCommand, remote: attachCommand },
  ],
  ['eval, rpc', 'one expression, one named operation', { eval: evalCommand, rpc: rpcCommand }],
  ['reload', 'reads the configuration again; a bad one changes nothing', { reload: reloadCommand }],
  ['check', 'looks at the configuration', { check: checkCommand }],
  ['config show', 'all settings, where each comes from, what has changed', { config: configCommand }],
  ['report', 'one archive for somebody who can help', { report: reportCommand }],
  ['apikey', 'the keys of publishers: add, list, revoke, import', { apikey: apikeyCommand }],
  ['password', 'hash: what stands for a password in the configuration', { password: passwordCommand }],

  ['pub', 'publishes to a channel', { pub: pubCommand }],
  ['sub', 'listens to channels', { sub: subCommand }],
  ['bench', 'measures a relay, and checks that nothing is lost', { bench: benchCommand }],
  ['top', 'the busiest topics, connections, processes, links', { top: topCommand }],
  [
    'completion',
    'bash, zsh: completes commands and options in a shell',
    { completion: completionCommand(words) },
  ],
  ['version, versions, help', '', { version: versionCommand, versions: versionsCommand }],
];

export const commands: ReadonlyMap<string, Command> = new Map(
  table.flatMap(([, , of]) => Object.entries(of)),
);

function words(): Word[] {
  return table.flatMap(([, about, of]) =>
    Object.entries(of).map(([name, command]) => wordOf(name, about, command)),
  );
}

/** Exit codes: 0 stopped in good order, 1 a crash or a start that failed, 78 (EX_CONFIG) a faulty configuration. */
const usage = (program: string) => `usage: ${program} COMMAND [options]

  --config FILE       settings (default: config/relay.yaml of the package)
  --set KEY=VALUE     overrides one setting, such as limits.message=128KiB; may be repeated
  --check             looks at the settings, says what is wrong with them, and ends
  --version, --help

Each command has --help:

${table.map(([listed, about]) => `  ${listed.padEnd(20)}${about}`.trimEnd()).join('\n')}
`;

/** Options of a start that are commands of their own. */
const FLAGS = new Map([
  ['--check', 'check'],
  ['--version', 'version'],
]);

/** Runs what the words of the command line name. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const text = usage(programOf(packageRoot));
  const [word = 'start', ...rest] = argv[0] === 'help' && argv[1] !== undefined ? [argv[1], '--help'] : argv;
  process.stdout.on('error', endOfReader);
  if (word === 'help' || word === '--help' || word === '-h') {
    process.stdout.write(text);
    return 0;
  }
  const [asked, given] = word.startsWith('-') ? ['start', argv] : [word, rest];
  const flag = asked === 'start' || asked === 'foreground' ? given.find((one) => FLAGS.has(one)) : undefined;
  const name = FLAGS.get(flag ?? '') ?? asked;
  const args = given.filter((one) => one !== flag);
  const command = commands.get(name);
  if (command === undefined) {
    process.stderr.write(`unknown command: ${redactText(name)}\n\n${text}`);
    return FAILED;
  }
  // A relay outlives whoever reads its log.
  if (STARTS.has(name)) process.stdout.off('error', endOfReader);
  return runCommand(command, args, {
    packageRoot,
    env: process.env,
    input: process.stdin,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) =>
      void process.stderr.write(errorLines(line, line.startsWith('warning: ') ? WARNING : ERROR)),
    stdout: () => (process.stdout.isTTY ? process.stdout : new Stdout(process.stdout.fd)),
    stderr: () => process.stderr,
    interruption,
  });
}

/** Commands that run a relay in this process. */
const STARTS: ReadonlySet<string> = new Set(['start', 'foreground']);

/** Whoever reads what a command says may go before its end. */
function endOfReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(DONE);
}

/** The exit code. */
export async function runCommand(command: Command, args: readonly string[], place: Place): Promise<number> {
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  if (options.includes('--help') || options.includes('-h')) {
    place.out(helpOf(command, place));
    return DONE;
  }
  try {
    return await command.run(args, place);
  } catch (error) {
    if (error instanceof Failed) {
      for (const line of error.lines) place.err(line);
      return error.code;
    }
    if (!(error instanceof BadUsage)) throw error;
    if (error.message !== '') place.err(redactText(error.message));
    place.err(usageOf(command, place));
    return FAILED;
  }
}
