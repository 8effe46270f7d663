/**
 * `npm run soak`: mixed load on a relay of its own, and how memory, handles, processes and timers went meanwhile.
 *
 *     --minutes N     how long (60)
 *     --clients N     clients that stay (300)
 *     --every S       seconds between two looks (15)
 *
 * Clients come and go, subscribe, publish, stop reading, and break off; an operator's page looks on. After the first
 * tenth, in which caches and the compiler fill up, each number should go on a level line: its slope is printed per hour,
 * with what that is of its mean. Memory is looked at after a collection: what is garbage at the time says nothing.
 * Exit code 1: something grew, or a message is unaccounted for.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { ask, parseMetrics, type Samples, sumOf } from '../support/admin.ts';
import { fillMemories } from './fill-memories.ts';
import { MixedLoad } from './mixed-load.ts';
import { growth, type Series } from './slope.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: { minutes: { type: 'string' }, clients: { type: 'string' }, every: { type: 'string' } },
});
/** Minutes. */
const JUDGED_FROM = 10;
const minutes = Number(values.minutes ?? 60);
const clients = Number(values.clients ?? 300);
const every = Number(values.every ?? 15) * 1000;
if (![minutes, clients, every].every((number) => number > 0)) throw new Error('numbers above 0 expected');

const folder = mkdtempSync(join(tmpdir(), 'fanfare-soak-'));
const config = join(folder, 'relay.yaml');
writeFileSync(
  config,
  `node: soak
var_dir: ${folder}
doors:
  pusu: { host: 127.0.0.1, port: 0 }
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: null }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
limits: { pending: 256KiB, write_stall: 3s }
`,
);
const program = join(root, 'dist/start.js');
const args = ['--config', config, '--set', 'log.level=info'];
const relay = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
process.once('exit', () => {
  relay.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const ports = new Map<string, number>();
await new Promise<void>((resolve, reject) => {
  relay.once('exit', () => reject(new Error('the relay has ended')));
  createInterface({ input: relay.stdout }).on('line', (line) => {
    const { msg, door, port } = JSON.parse(line) as { msg: string; door?: string; port?: number };
    if (msg === 'listening' && door !== undefined && port !== undefined) ports.set(door, port);
    if (msg === 'ready') resolve();
  });
});
const admin = ports.get('admin') ?? 0;
get({ port: admin, path: '/observer/feed?tab=connections' }, (page) => page.resume());
await fillMemories(ports.get('pinghub') ?? 0);
const load = new MixedLoad(ports.get('pusu') ?? 0, ports.get('pinghub') ?? 0, clients);
load.start();

const series: Record<string, Series> = {};
const began = performance.now();
const end = began + minutes * 60_000;
while (performance.now() < end) {
  await sleep(Math.min(every, Math.max(0, end - performance.now())));
  note(await look());
}
await load.stop();
await sleep(5000);
const last = await look();
print();
const unaccounted =
  sumOf(last, 'fanfare_delivery_attempts_total') -
  sumOf(last, 'fanfare_deliveries_total') -
  sumOf(last, 'fanfare_dropped_total');
console.log(
  `${sumOf(last, 'fanfare_messages_total')} messages, ${sumOf(last, 'fanfare_deliveries_total')} deliveries, ` +
    `${sumOf(last, 'fanfare_dropped_total')} dropped, ${unaccounted} unaccounted for; ` +
    `${sumOf(last, 'fanfare_crashes_total')} crashes; left: ${sumOf(last, 'fanfare_connections')} connections, ` +
    `${sumOf(last, 'fanfare_topics')} topics, ${sumOf(last, 'fanfare_pending_bytes')} bytes waiting`,
);
// In a short run caches, the compiler and the heap are still on their way to where they stay.
const judged = minutes >= JUDGED_FROM;
const grew = judged ? Object.entries(series).filter(([, one]) => growth(one).grows) : [];
for (const [name] of grew) console.log(`${name} grew`);
if (!judged) console.log(`shorter than ${JUDGED_FROM} minutes: slopes are not judged`);
process.exit(unaccounted === 0 && grew.length === 0 ? 0 : 1);

async function look(): Promise<Samples> {
  await promisify(execFile)(process.execPath, [program, 'rpc', 'bin_leak', '1', ...args]);
  return parseMetrics((await ask(admin, '/metrics')).body);
}

function note(samples: Samples): void {
  const at = (performance.now() - began) / 3_600_000;
  if (performance.now() - began < (minutes * 60_000) / 10) return;
  const numbers = {
    'memory, resident (MiB)': sumOf(samples, 'fanfare_memory_bytes', 'resident') / 2 ** 20,
    'memory, heap (MiB)': sumOf(samples, 'fanfare_memory_bytes', 'heap_used') / 2 ** 20,
    'memory, external (MiB)': sumOf(samples, 'fanfare_memory_bytes', 'external') / 2 ** 20,
    'file descriptors': readdirSync(`/proc/${relay.pid}/fd`).length,
    processes: sumOf(samples, 'fanfare_processes'),
    timers: sumOf(samples, 'fanfare_timers'),
    topics: sumOf(samples, 'fanfare_topics'),
  };
  for (const [name, value] of Object.entries(numbers)) {
    series[name] ??= [];
    series[name].push({ at, value });
  }
}

function print(): void {
  console.log(
    `${'after a tenth of the time'.padEnd(26)}${'first'.padStart(10)}${'last'.padStart(10)}${'per hour'.padStart(12)}`,
  );
  for (const [name, one] of Object.entries(series)) {
    const { perHour, share } = growth(one);
    const [first, latest] = [one[0]?.value ?? 0, one.at(-1)?.value ?? 0];
    console.log(
      `${name.padEnd(26)}${first.toFixed(1).padStart(10)}${latest.toFixed(1).padStart(10)}` +
        `${perHour.toFixed(2).padStart(12)}  (${(share * 100).toFixed(1)} % of its mean)`,
    );
  }
}
