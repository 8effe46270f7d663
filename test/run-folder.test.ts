import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import {
  type Claim,
  claimFolder,
  isRunning,
  leaveFolder,
  runFolder,
  runningBelow,
  runningPid,
} from '../src/run-folder.ts';
import { eventually } from './support/arrivals.ts';
import { temporaryFolder } from './support/relay-process.ts';

test('the folder is beside config, or beside the file, or where it is said to be; the node has its own in it', (t) => {
  t.is(runFolder(null, 'a', '/opt/fanfare/config/relay.yaml'), '/opt/fanfare/var/a');
  t.is(runFolder(null, 'a', '/etc/fanfare/relay.yaml'), '/etc/fanfare/var/a');
  t.is(runFolder('/run/x', 'a', '/etc/fanfare/relay.yaml'), '/run/x/a');
});

test('a node is known by its pid file, as long as its process is the one that wrote it', (t) => {
  const folder = join(temporaryFolder(t), 'a');
  t.is(runningPid(folder), undefined);
  t.deepEqual(claimFolder(folder), { kind: 'own' });
  t.is(runningPid(folder), process.pid);
  t.deepEqual(runningBelow(join(folder, '..')), [{ folder, pid: process.pid }]);
  // Older than this process: the number was another one's then.
  utimesSync(join(folder, 'fanfare.pid'), 1, 1);
  t.is(runningPid(folder), undefined);
  for (const text of ['', 'x', '-1', '0', '99999999']) {
    writeFileSync(join(folder, 'fanfare.pid'), text);
    t.is(runningPid(folder), undefined, text);
  }
  leaveFolder(folder);
  t.is(readFileSync(join(folder, 'fanfare.pid'), 'utf8'), '99999999');
});

test('a folder is one live process’s alone, and free again when that is dead', async (t) => {
  const folder = join(temporaryFolder(t), 'a');
  const claims = `import(${JSON.stringify(new URL('../src/run-folder.ts', import.meta.url).href)}).then(({ claimFolder }) => {
    process.stdin.once('data', () => { console.log(JSON.stringify(claimFolder(${JSON.stringify(folder)}))); });
    console.log('ready');
  })`;
  const contend = async () => {
    const racers = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--import=tsx', '-e', claims]);
      t.teardown(() => child.kill('SIGKILL'));
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      return { child, line: async () => (await lines.next()).value as string };
    });
    for (const { line } of racers) await line();
    for (const { child } of racers) child.stdin.write('go\n');
    const claimed = await Promise.all(racers.map(async ({ line }) => JSON.parse(await line()) as Claim));
    const owner = racers[claimed.findIndex(({ kind }) => kind === 'own')]?.child;
    const others = claimed.filter(({ kind }) => kind !== 'own');
    t.deepEqual(others, Array(3).fill({ kind: 'taken', pid: owner?.pid }));
    t.is(runningPid(folder), owner?.pid);
    t.deepEqual(readdirSync(folder), ['fanfare.pid']);
    for (const { child } of racers) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  await contend();
  // What the dead one has left is taken over by one as well.
  await contend();
});

test('a folder that cannot be made is said to be unusable', (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  t.is(claimFolder(join(file, 'a')).kind, 'unusable');
});

test('a zombie is gone', async (t) => {
  // The shell becomes a program that buries nobody; its child ends after that, when we end its input.
  const child = spawn('sh', ['-c', 'exec 3<&0; cat <&3 & echo $!; exec sleep 600']);
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await new Promise<[string]>((resolve) =>
    createInterface(child.stdout).once('line', (text) => resolve([text])),
  );
  const zombie = Number(line);
  await eventually(
    () => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n',
    'the shell is another program',
  );
  t.true(isRunning(zombie));
  child.stdin.end();
  const state = () => readFileSync(`/proc/${zombie}/stat`, 'utf8').split(') ')[1]?.[0];
  await eventually(() => state() === 'Z', 'its child has ended');
  t.false(isRunning(zombie));
  t.true(isRunning(child.pid ?? 0));
});
