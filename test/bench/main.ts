/**
 * `npm run bench`: the relay beside the naive `ws` broadcast server, on this machine, in one run, interleaved.
 *
 *     --rounds N      runs per scenario and side, 1..20 (3)
 *     --only F1,C1    these scenarios alone
 *     --quick         one round, half as long: a look, not a figure to quote
 *     --json FILE     write all results there
 *     --start FILE    start this file as the relay instead of dist/start.js
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pinning, runLoad, startServer } from './children.ts';
import { notes, type Run, table } from './report.ts';
import type { LoadResult, Side } from './result.ts';
import { type Scenario, scenarios } from './scenarios.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiled = join(root, 'node_modules/.cache/fanfare-bench');

/** The pinghub door alone, everything else as it comes. */
const RELAY_CONFIG = `node: bench
doors:
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: null }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`;

/** The same, where all of what is published is kept. */
const HISTORY_CONFIG = `${RELAY_CONFIG}topics: [{ pattern: "bench-*", history: true }]
`;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    start: { type: 'string', default: join(root, 'dist/start.js') },
  },
});

const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new Error('--rounds: 1 to 20 expected');
const chosen = choose(options.only);
const cores = pinning();
const folder = mkdtempSync(join(tmpdir(), 'fanfare-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, 'relay.yaml');
writeFileSync(config, RELAY_CONFIG);
const withHistory = join(folder, 'history.yaml');
writeFileSync(withHistory, HISTORY_CONFIG);
compile();

const relay = [options.start, '--config', config];
const keeping = [options.start, '--config', withHistory];
const naive = [join(compiled, 'naive-server.js')];
const runs: Run[] = [];
const troubles: string[] = [];
let failure: unknown;
try {
  for (let round = 1; round <= rounds; round++) {
    for (const scenario of chosen) {
      // Each side goes first in every other round, so that a machine that drifts favours neither.
      const order: readonly Side[] = round % 2 === 1 ? ['naive', 'fanfare'] : ['fanfare', 'naive'];
      for (const side of order) await measure(scenario, side, round);
    }
  }
} catch (error) {
  failure = error;
}

const machine = { node: process.version, cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length };
if (options.json !== undefined) {
  writeFileSync(
    options.json,
    `${JSON.stringify({ machine, pinned: cores !== null, rounds, runs }, null, 2)}\n`,
  );
}
console.log(`\n${table(chosen, runs)}\n`);
for (const note of [...notes(chosen, runs), ...troubles]) console.log(`note: ${note}`);
console.log(
  `node ${machine.node}, ${machine.cpu}, ${machine.cores} cores; medians of ${rounds}; ` +
    (cores === null ? 'not pinned' : `server on core ${cores.server}, load on core ${cores.load}`),
);
if (failure !== undefined) {
  console.error(failure instanceof Error ? failure.message : failure);
  process.exitCode = 1;
}

async function measure(scenario: Scenario, side: Side, round: number): Promise<void> {
  const server = await startServer(serverOf(scenario, side), cores?.server ?? null);
  const { pid, port } = server;
  let result: LoadResult;
  try {
    result = await runLoad(join(compiled, 'load.js'), { scenario, side, port, pid }, cores?.load ?? null);
  } finally {
    const trouble = await server.stop();
    if (trouble !== null) troubles.push(`${scenario.name} ${side}, round ${round}: ${trouble}`);
  }
  runs.push({ scenario: scenario.name, side, round, result });
  process.stderr.write(
    `${scenario.name} ${side.padEnd(7)} round ${round}: ${Math.round(result.deliveriesPerSecond)} deliveries/s, ` +
      `server ${share(result.serverShare)}, load ${share(result.loadShare)} of a core\n`,
  );
}

function serverOf({ sides }: Scenario, side: Side): readonly string[] {
  switch (sides) {
    case 'history off and on':
      return side === 'naive' ? relay : keeping;
    case 'plain joins and resumes':
      return keeping;
    default:
      return side === 'naive' ? naive : relay;
  }
}

function share(of: number | null): string {
  return of === null ? '-' : `${Math.round(of * 100)} %`;
}

function choose(only: string | undefined): readonly Scenario[] {
  const names = only?.split(',') ?? scenarios.map((scenario) => scenario.name);
  return names.map((name) => {
    const scenario = scenarios.find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`--only: no scenario ${name}`);
    return options.quick ? { ...scenario, duration: scenario.duration / 2 } : scenario;
  });
}

/** Both helpers run as plain JavaScript, like the relay: no loader, nothing translated at run time. */
function compile(): void {
  mkdirSync(compiled, { recursive: true });
  writeFileSync(join(compiled, 'package.json'), '{ "type": "module" }\n');
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'test/bench'), '--outDir', compiled],
    { stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('the load client does not compile');
}
