import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import {
  availableParallelism,
  freemem,
  loadavg,
  release,
  type as systemType,
  totalmem,
  uptime,
} from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { NodeClient, SilentNode } from '../attach/client/node-client.ts';
import { LOG_FILE } from '../host/run-folder.ts';
import { redactText } from '../secret/redaction.ts';
import { askerOf } from './audit.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  type OptionTable,
  type Place,
} from './command.ts';
import { type FoundNode, findNode, load, type SettingsOptions, settingsOptions } from './node-options.ts';
import { reachable } from './reach.ts';
import { type Packed, tarOf } from './report/tar.ts';
import { versionOf } from './versions-command.ts';

/** Bytes of the end of the log. */
const LOG_BYTES = 2 * 1024 * 1024;
/** Lines of the journal. */
const JOURNAL_LINES = 10_000;
/** Milliseconds for one answer of the relay. */
const PATIENCE = 10_000;

/** What the relay is asked: the file's name, the operation, its arguments. Each is bounded by itself. */
const questions: readonly (readonly [file: string, operation: string, args: readonly unknown[]])[] = [
  ['tree.txt', 'tree', []],
  ['runtime.txt', 'runtime_info', []],
  ['stats.txt', 'node_stats', [5, 500]],
  ['network.txt', 'network', []],
  ['peers.txt', 'peers', []],
  ['top-by-mailbox.txt', 'top', [{ by: 'mailbox' }]],
  ['top-by-handled-in-1s.txt', 'top', [{ by: 'handled', window: 1000 }]],
  ['top-by-pending.txt', 'top', [{ by: 'pending' }]],
  ['topics-by-members.txt', 'topics', [{ by: 'members' }]],
  ['topics-by-queue.txt', 'topics', [{ by: 'queue' }]],
  ['topics-by-handled.txt', 'topics', [{ by: 'handled' }]],
  ['connections-by-pending.txt', 'connections', [{ by: 'pending' }]],
  ['connections-by-out.txt', 'connections', [{ by: 'out' }]],
  ['timeline.txt', 'timeline', [{ n: 1000 }]],
  ['closed.txt', 'why', [{ n: 200 }]],
  ['reports.txt', 'reports', [100]],
];

const options = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    about: 'the archive; default: a name with the time, here',
  },
  ...settingsOptions,
} as const satisfies OptionTable;

/** Packs what somebody needs who can help, and cannot reach the relay. */
export const reportCommand: Command = {
  usage: ['report [--output FILE.tar.gz] [--config FILE] [--set KEY=VALUE]'],
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    if (positionals.length > 0) throw new BadUsage();
    const settings: SettingsOptions = { config: values.config, set: values.set ?? [] };
    const time = new Date();
    const found = findNode(settings, place);
    const files: Packed[] = [];
    const missing: string[] = [];
    const add = async (name: string, content: () => string | Promise<string>) => {
      try {
        files.push({ name, content: `${redactText(await content())}\n` });
      } catch (error) {
        missing.push(
          `${name}: ${error instanceof Failed ? error.lines.join('; ') : (error as Error).message}`,
        );
      }
    };
    await addSettings(settings, place, add);
    await addSystem(found, place, add);
    await Promise.all([addAnswers(found, place, add), addMetrics(settings, place, add)]);
    await add('log.txt', () => endOfLog(settings, found, place));
    const stamp = time.toISOString().replace(/[:.]/g, '-');
    const folder = `fanfare-report-${stamp}`;
    const about = { name: 'README.txt', content: readme(found, time, missing, place) };
    const file = values.output ?? `${folder}.tar.gz`;
    try {
      const archive = gzipSync(tarOf(folder, [about, ...files], Math.floor(time.getTime() / 1000)));
      writeFileSync(file, archive, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw new Failed(FAILED, whyUnwritten(file, error as NodeJS.ErrnoException));
    }
    for (const one of missing) place.err(`not in it: ${one}`);
    place.out(file);
    return DONE;
  },
  help: {
    about: [
      'One archive for somebody who can help: settings without secrets, tree, runtime, links, busiest processes, topics and clients,',
      'closes, crash reports, metrics, the system, the end of the log. Addresses of clients and names of topics are in it; no',
      'message and no secret is. What cannot be had is left out, and named.',
    ],
    options,
    example: 'report --config /etc/fanfare/relay.yaml',
  },
};

function whyUnwritten(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EEXIST') return `${file} is there already: name another with --output`;
  if (code === 'ENOENT') return `${file}: its folder is not there`;
  return `${file}: ${message}`;
}

type Add = (name: string, content: () => string | Promise<string>) => Promise<void>;

async function addSettings(settings: SettingsOptions, place: Place, add: Add): Promise<void> {
  await add('settings-of-the-file.txt', () =>
    load(settings, place)
      .effective.map(({ key, value, from }) => `${key}: ${value}  # ${from}`)
      .join('\n'),
  );
}

async function addSystem({ pid, folder }: FoundNode, place: Place, add: Add): Promise<void> {
  await add('system.txt', () => {
    const lines = [
      `fanfare ${versionOf(place.packageRoot)}, Node.js ${process.version} (of this command)`,
      `${systemType()} ${release()}, ${availableParallelism()} cores, up ${Math.round(uptime())} s`,
      `load ${loadavg()
        .map((load) => load.toFixed(2))
        .join(' ')}`,
      `memory ${totalmem()} bytes, free ${freemem()}`,
      `folder of the node: ${folder}`,
      `process: ${pid ?? 'none runs'}`,
    ];
    return lines.join('\n');
  });
  if (pid === undefined) return;
  for (const name of ['limits', 'status'])
    await add(`process-${name}.txt`, () => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
}

async function addAnswers({ pid, folder }: FoundNode, place: Place, add: Add): Promise<void> {
  let whyNot = pid === undefined ? 'no node runs' : 'nobody can attach';
  const silent = (error: unknown) => {
    if (!(error instanceof SilentNode)) throw error;
    whyNot = error.message;
    return undefined;
  };
  const client =
    pid === undefined ? undefined : await NodeClient.connect(folder, askerOf('command', place)).catch(silent);
  const ask = async (operation: string, args: readonly unknown[]) => {
    if (client === undefined) throw new Error(whyNot);
    if (client.isSilent) throw new Error('the node has not answered the question before');
    const late = pause(PATIENCE, { ok: false, text: `no answer in ${PATIENCE} ms` }, { ref: false });
    const { ok, text } = await Promise.race([client.call(operation, args, 'lines'), late]);
    if (!ok) throw new Error(text);
    return text;
  };
  await add('settings-of-the-relay.txt', () => ask('config', []));
  for (const [file, operation, args] of questions) await add(file, () => ask(operation, args));
  client?.close();
}

async function addMetrics(settings: SettingsOptions, place: Place, add: Add): Promise<void> {
  const content = async (path: string) => {
    const { admin } = load(settings, place).config;
    if (admin === null) throw new Error('there is no admin port');
    const answer = await fetch(`http://${reachable(admin.host)}:${admin.port}${path}`, {
      signal: AbortSignal.timeout(PATIENCE),
    });
    return answer.text();
  };
  await Promise.all([
    add('metrics.txt', () => content('/metrics')),
    add('health.json', () => content('/health/ready')),
  ]);
}

/** Of the log's file, or of the journal where the log goes there. */
function endOfLog(settings: SettingsOptions, { folder, pid }: FoundNode, place: Place): string {
  const { file } = load(settings, place).config.log;
  try {
    return endOf(file ?? join(folder, LOG_FILE));
  } catch (error) {
    if (file !== null || pid === undefined) throw error;
  }
  const asked = ['-o', 'cat', '-n', String(JOURNAL_LINES), `_PID=${pid}`];
  const { stdout, status } = spawnSync('journalctl', asked, { encoding: 'utf8', maxBuffer: 64 * LOG_BYTES });
  if (status !== 0 || stdout === '') throw new Error('there is no log file, and nothing in the journal');
  return stdout;
}

function endOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const length = Math.min(size, LOG_BYTES);
    const bytes = Buffer.alloc(length);
    readSync(descriptor, bytes, 0, length, size - length);
    const text = bytes.toString();
    // The first line is a part of one.
    return size > length ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(descriptor);
  }
}

function readme({ pid }: FoundNode, time: Date, missing: readonly string[], place: Place): string {
  return `${[
    `Report of a relay, made ${time.toISOString()} by fanfare ${versionOf(place.packageRoot)}.`,
    pid === undefined ? 'No node ran.' : `The node ran as process ${pid}.`,
    '',
    'It has addresses of clients and names of topics. It has no message, and secrets are hidden: look through it before you',
    'hand it on.',
    '',
    missing.length === 0 ? 'Nothing is missing.' : 'What could not be had:',
    ...missing.map((one) => `- ${one}`),
  ].join('\n')}\n`;
}
