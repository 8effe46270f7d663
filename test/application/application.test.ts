import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { type SupervisorMessage, whichChildren } from '../../src/otp/supervisor.ts';
import { eventually } from '../support/arrivals.ts';
import { startTestRelay } from '../support/relay.ts';
import { packageRoot, temporaryFolder } from '../support/relay-process.ts';

const drawnAs: readonly (readonly [page: string, child: RegExp])[] = [
  ['README.md', /^[├└]─ ([\w-]+)/gm],
  ['doc/architecture.md', /^ {2}root --> ([\w-]+)/gm],
];

test('the tree is drawn in the documents as it is, from the first child to start to the first to stop', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } }, 10, { folder: temporaryFolder(t) });
  const root = whereis(relay.relay.system, processName<SupervisorMessage>('root'));
  if (root === undefined) throw new Error('there is no root');
  const children = (await whichChildren(root)).map(({ id }) => id);
  for (const [page, child] of drawnAs) {
    const drawn = [...readFileSync(join(packageRoot, page), 'utf8').matchAll(child)].map(([, id]) => id);
    t.deepEqual(drawn, children, page);
  }
});

test('after the crash of the topics as a whole every child of the root is there again', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } }, 10, { folder: temporaryFolder(t) });
  const { system } = relay.relay;
  const root = whereis(system, processName<SupervisorMessage>('root'));
  if (root === undefined) throw new Error('there is no root');
  const before = await whichChildren(root);
  const [topics] = before;
  if (topics?.pid == null) throw new Error('the topics do not run');
  exit(topics.pid, 'kill');
  let after = before;
  await eventually(async () => {
    after = await whichChildren(root);
    return after.every(({ pid }) => pid !== null) && after[0]?.pid !== topics.pid;
  }, 'the root has restarted its children');
  t.deepEqual(
    after.map(({ id }) => id),
    before.map(({ id }) => id),
  );
});
