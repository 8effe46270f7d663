import test from 'ava';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../../src/otp/dynamic-supervisor.ts';
import { hashKey, partitionSupervisor } from '../../src/otp/partition-supervisor.ts';
import { isAlive, type Pid, type Process } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { quiescence, script, scripted, testSystem } from '../support/otp.ts';

type Part = DynamicSupervisorMessage<unknown, unknown>;

function partitions(count: number, intensity: number) {
  const world = testSystem();
  const { spec, pick } = partitionSupervisor<Part>('parts', {
    count,
    flags: { intensity: 2 },
    partition: (index, name) =>
      dynamicSupervisor(
        `part-${index}`,
        { behaviour: scripted(script()), restart: 'permanent', intensity },
        { name },
      ),
  });
  const root = spec.start(world.system, {});
  if (!root.ok) throw new Error('not started');
  const part = (key: number) => pick(world.system, key) as Pid<Part>;
  const add = async (key: number) => {
    let child: Pid<unknown> | undefined;
    startDynamicChild(part(key), null, (result) => {
      if (result.ok) child = result.pid;
    });
    await quiescence(world.system);
    return child as Process;
  };
  return { ...world, root: root.pid, part, add };
}

test('a key belongs to one partition for ever, and all partitions are used', (t) => {
  const { part } = partitions(4, 1);
  const found = Array.from({ length: 100 }, (_, key) => part(key).id);
  t.is(new Set(found).size, 4);
  t.deepEqual(found.slice(4, 8), found.slice(0, 4));
});

test('a partition that gives up is restarted, and its neighbours notice nothing', async (t) => {
  const { part, add, quiet, root } = partitions(2, 0);
  const [bad, good] = [await add(0), await add(1)];
  const [badPart, goodPart] = [part(0), part(1)];
  exit(bad, { stop: 'bad' });
  await quiet();
  t.false(isAlive(badPart));
  t.true(isAlive(part(0)));
  t.is(part(1), goodPart);
  t.true(isAlive(good));
  t.true(isAlive(root));
});

test('crashes spread over the partitions use up no common restarts', async (t) => {
  const { part, add, quiet } = partitions(4, 1);
  const before = [0, 1, 2, 3].map((key) => part(key));
  for (const key of [0, 1, 2, 3]) exit(await add(key), { stop: 'bad' });
  await quiet();
  t.deepEqual(
    [0, 1, 2, 3].map((key) => part(key)),
    before,
  );
});

test('partitions that keep giving up end their supervisor', async (t) => {
  const { add, quiet, root, system } = partitions(2, 0);
  for (let i = 0; i < 3; i++) {
    exit(await add(0), { stop: 'bad' });
    await quiet();
  }
  t.false(isAlive(root));
  t.is(system.processes.size, 0);
});

test('a hash key is a 32-bit number that spreads texts over the partitions', (t) => {
  t.is(hashKey(''), 0x811c9dc5);
  t.is(hashKey('a'), 0xe40c292c);
  t.is(hashKey('foobar'), 0xbf9cf968);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) {
    const at = hashKey(`topic-${i}`) % 4;
    counts[at] = (counts[at] as number) + 1;
  }
  t.true(
    counts.every((count) => count > 800 && count < 1200),
    String(counts),
  );
});
