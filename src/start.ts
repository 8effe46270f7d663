import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startRelay } from './application.ts';
import type { Plugins } from './authenticator/authenticator-from.ts';
import { BAD_CONFIG, FAILED } from './command/command.ts';
import { commands, runCommand } from './command/commands.ts';
import type { Config } from './config/config.ts';
import { type ConfigError, formatError } from './config/config-error.ts';
import { loadConfig } from './config/load-config.ts';
import { type Log, openLog } from './log.ts';
import { describeReason, type ExitReason } from './otp/exit-reason.ts';
import { loadPlugins } from './plugins.ts';

const USAGE = `usage: node dist/start.js [options]
       node dist/start.js COMMAND …

  --config FILE       settings (default: config/relay.yaml of the package)
  --set KEY=VALUE     overrides one setting, such as limits.message=128KiB; may be repeated
  --check             looks at the settings, says what is wrong with them, and ends
  --version, --help

commands, each with --help:  ${[...commands.keys()].join(', ')}
`;

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Part of the file descriptors that connections may take; files, listeners and links need some too. */
const DESCRIPTORS_FOR_CONNECTIONS = 0.8;
const DEFAULT_DESCRIPTORS = 1024;

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true) return void process.stdout.write(USAGE);
  if (options.version === true) return void process.stdout.write(`fanfare ${versionOf(packageRoot)}\n`);
  const loaded = loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    sets: options.set ?? [],
    env: process.env,
    packageRoot,
  });
  if (!loaded.ok) return refuse(loaded.errors);
  const loadedPlugins = await loadPlugins(loaded.config);
  if (!loadedPlugins.ok) return refuse(loadedPlugins.errors);
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatError(warning)}\n`);
  if (options.check === true) return void process.stdout.write(`${loaded.file}: ok\n`);
  run(loaded.config, loadedPlugins.plugins);
}

function refuse(errors: readonly ConfigError[]): void {
  for (const error of errors) process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = BAD_CONFIG;
}

function readOptions(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(FAILED);
  }
}

function parse() {
  return parseArgs({
    options: {
      config: { type: 'string' },
      set: { type: 'string', multiple: true },
      check: { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

function run(config: Config, plugins: Plugins): void {
  const log = openLog(config.log, config.node);
  const descriptors = descriptorLimit();
  const relay = startRelay(config, Math.floor(descriptors * DESCRIPTORS_FOR_CONNECTIONS), log, plugins);
  // Sockets keep Node alive; a relay whose last listener is being restarted has none for a moment.
  const alive = setInterval(() => undefined, 2 ** 30);
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(FAILED);
    stopping = true;
    log.note('stopping', { signal });
    relay.stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  void relay.started.then((result) => {
    if (result.ok) log.ready();
    else process.stderr.write(`fanfare could not start: ${causeOf(result.reason)}\n`);
  });
  void relay.ended.then((reason) => {
    clearInterval(alive);
    finish(log, reason, stopping);
  });
}

/** What went wrong at the bottom of the tree, without the supervisors through which it came up. */
function causeOf(reason: ExitReason): string {
  return describeReason(reason).replaceAll(/(shutdown: )?failed to start [^:]+: /g, '');
}

/** A root that ends unasked has given up: the service manager is to start the relay afresh. */
function finish(log: Log, reason: ExitReason, asked: boolean): void {
  log.stopped(describeReason(reason));
  log.flush();
  process.exit(asked ? 0 : FAILED);
}

/** The soft limit on open files, where the system tells it. */
function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    const limit = Number(line?.[1]);
    return Number.isFinite(limit) ? limit : 2 ** 20;
  } catch {
    return DEFAULT_DESCRIPTORS;
  }
}

function versionOf(packageRoot: string): string {
  const parsed: unknown = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8'));
  return (parsed as { readonly version: string }).version;
}

const [word = '', ...args] = process.argv.slice(2);
const command = commands.get(word);
if (command === undefined) await main();
else {
  process.exitCode = await runCommand(command, args, {
    packageRoot,
    env: process.env,
    input: process.stdin,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  });
}
