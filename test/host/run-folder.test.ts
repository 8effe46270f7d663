import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import {
  type Claim,
  claimFolder,
  isRunning,
  leaveFolder,
  runFolder,
  runningBelow,
  runningPid,
} from '../../src/host/run-folder.ts';
import { eventually } from '../support/arrivals.ts';
import { packageRoot, temporaryFolder } from '../support/relay-process.ts';

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

/** A process that claims each folder that it is told, when it is told. */
interface Racer {
  readonly child: ChildProcessWithoutNullStreams;
  claim(folder: string): void;
  answer(): Promise<Claim>;
}

async function racers(t: ExecutionContext): Promise<Racer[]> {
  const text = `import(${JSON.stringify(join(packageRoot, 'dist/host/run-folder.js'))}).then(({ claimFolder }) => {
    require('node:readline').createInterface(process.stdin).on('line', (folder) => console.log(JSON.stringify(claimFolder(folder))));
    console.log('ready');
  })`;
  const all = Array.from({ length: 6 }, () => {
    const child = spawn(process.execPath, ['-e', text]);
    t.teardown(() => child.kill('SIGKILL'));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const line = async () => (await lines.next()).value as string;
    const claim = (folder: string) => void child.stdin.write(`${folder}\n`);
    return { child, line, claim, answer: async () => JSON.parse(await line()) as Claim };
  });
  for (const { line } of all) t.is(await line(), 'ready');
  return all;
}

/** All claim the folder in the same moment, and one gets it. */
async function contend(t: ExecutionContext, all: readonly Racer[], folder: string): Promise<void> {
  for (const { claim } of all) claim(folder);
  const claimed = await Promise.all(all.map(({ answer }) => answer()));
  const owner = all[claimed.findIndex(({ kind }) => kind === 'own')]?.child;
  const others = claimed.filter(({ kind }) => kind !== 'own');
  t.deepEqual(others, Array(all.length - 1).fill({ kind: 'taken', pid: owner?.pid }), folder);
  t.is(runningPid(folder), owner?.pid);
  t.deepEqual(readdirSync(folder), ['fanfare.pid']);
}

test('a folder is one live process’s alone, and free again when that is dead', async (t) => {
  const folder = join(temporaryFolder(t), 'a');
  // What the dead one has left is taken over by one as well.
  for (let round = 0; round < 2; round++) {
    const all = await racers(t);
    await contend(t, all, folder);
    for (const { child } of all) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

test('of those who come to a dead process’s folder in the same moment one gets it, time after time', async (t) => {
  const root = temporaryFolder(t);
  const all = await racers(t);
  for (let round = 0; round < 500; round++) {
    const folder = join(root, String(round));
    mkdirSync(folder);
    writeFileSync(join(folder, 'fanfare.pid'), '99999999');
    await contend(t, all, folder);
  }
});

test('who died while it took a folder over does not keep it from others', (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['fanfare.pid', 'fanfare.pid.takeover']) writeFileSync(join(folder, name), '99999999');
  t.deepEqual(claimFolder(folder), { kind: 'own' });
  t.deepEqual(readdirSync(folder), ['fanfare.pid']);
  leaveFolder(folder);
});

test('a live process that takes a folder over has it, however long it takes', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn('sleep', ['600']);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  writeFileSync(join(folder, 'fanfare.pid'), '99999999');
  writeFileSync(join(folder, 'fanfare.pid.takeover'), String(child.pid));
  t.deepEqual(claimFolder(folder), { kind: 'taken', pid: child.pid });
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
