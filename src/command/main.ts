import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redactText } from '../secret/redaction.ts';
import { FAILED, programOf } from './command.ts';
import { commands, runCommand } from './commands.ts';

/** Exit codes: 0 stopped in good order, 1 a crash or a start that failed, 78 (EX_CONFIG) a faulty configuration. */
const usage = (program: string) => `usage: ${program} COMMAND [options]

  --config FILE       settings (default: config/relay.yaml of the package)
  --set KEY=VALUE     overrides one setting, such as limits.message=128KiB; may be repeated
  --check             looks at the settings, says what is wrong with them, and ends
  --version, --help

Each command has --help:

  start, foreground   runs a relay in this process
  daemon              runs one in the background, and returns when it is ready
  console             the same, and attaches to it
  stop, restart       waits for the end of a drain
  ping [--wait S]     pong when it serves
  status, pid         0 and its pid when it runs
  attach              a prompt in the running relay; also remote_console, remote
  eval, rpc           one expression, one named operation
  reload              reads the configuration again; a bad one changes nothing
  check               looks at the configuration
  apikey              the keys of publishers: add, list, revoke, import
  password            hash: what stands for a password in the configuration
  version, versions, help
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
  const [word = 'start', ...rest] = argv;
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
  return runCommand(command, args, {
    packageRoot,
    env: process.env,
    input: process.stdin,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  });
}
