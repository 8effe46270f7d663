import test, { type ExecutionContext } from 'ava';
import { ask } from '../../support/admin.ts';
import { eventually } from '../../support/arrivals.ts';
import { skipWithoutNats, startNats } from '../../support/nats.ts';
import { startTestRelay, type TestRelay } from '../../support/relay.ts';

function relay(t: ExecutionContext, servers: readonly string[]): Promise<TestRelay> {
  return startTestRelay(t, {
    cluster: { backplane: 'nats', servers },
    network: { heartbeat: '100ms', timeout: '1s' },
    doors: { pusu: {} },
  });
}

const connectedTo = ({ log }: TestRelay, address: string) =>
  log.find(({ msg, server }) => msg === 'nats connected' && server === address);

/** Asks for ever, as probes do, until the relay is ready. */
async function becomesReady(one: TestRelay, when: string): Promise<void> {
  await eventually(async () => (await ask(one.port('admin'), '/health/ready')).status === 200, when);
}

test('the connection of the probe moves with the list of servers, though it is asked all the time', async (t) => {
  if (skipWithoutNats(t)) return;
  const [first, second] = [await startNats(t), await startNats(t)];
  const one = await relay(t, [first.address]);
  await becomesReady(one, 'ready at the first');
  one.relay.nats?.reload([second.address]);
  await connectedTo(one, second.address);
  await becomesReady(one, 'ready at the second');
  t.pass();
});

test('the connection of the probe leaves a server that stands still', async (t) => {
  if (skipWithoutNats(t)) return;
  const [first, second] = [await startNats(t), await startNats(t)];
  await second.kill();
  const one = await relay(t, [first.address, second.address]);
  await becomesReady(one, 'ready at the first');
  await second.start();
  await first.freeze();
  await connectedTo(one, second.address);
  await becomesReady(one, 'ready at the second');
  t.pass();
});
