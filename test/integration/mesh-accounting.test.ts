import test, { type ExecutionContext } from 'ava';
import { send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { eventually } from '../support/arrivals.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { subscriber } from '../support/pusu-clients.ts';
import { isBalanced } from '../support/relay.ts';

const publish = (content: number) => JSON.stringify({ type: 'publish', channel: 'c', content });

/** Two linked relays with a subscriber each, who hear what the near one publishes; and what serves the link from here. */
async function talking(t: ExecutionContext) {
  const { relays, link } = await pairOfRelays(t);
  const [a, b] = relays;
  await link();
  const [near, far] = [await subscriber(t, a, 'c'), await subscriber(t, b, 'c')];
  near.send(publish(0));
  await Promise.all([near.next(), far.next()]);
  const serving = a.relay.backplane?.network.outbound.of('n1');
  if (serving === undefined) throw new Error('nothing is served');
  return { a, b, near, serving };
}

test('what waits for a link whose process ends, as when the peer is started anew, is counted', async (t) => {
  const { a, near, serving } = await talking(t);
  const before = { ...a.accounting.dropped };
  suspend(serving.pid);
  send(serving.pid, { type: 'replaced' });
  for (const number of [1, 2, 3]) near.send(publish(number));
  await near.take(3);
  resume(serving.pid);
  await eventually(() => isBalanced(a.accounting), 'the counts are balanced');
  t.is(a.accounting.dropped.unlinked - before.unlinked, 3);
});

test('a network port whose process is killed is open again', async (t) => {
  const { relays, link } = await pairOfRelays(t);
  const [a, b] = relays;
  await link();
  const { system } = a.relay;
  const listener = [...system.processes.values()].find(({ behaviour }) => behaviour.name === 'peer-listener');
  if (listener === undefined) throw new Error('nobody listens');
  exit(listener, 'kill');
  await a.log.count(({ msg, door }) => msg === 'listening' && door === 'network', 2);
  // Those that it dials are started after the port, and begin anew; those that it serves go on.
  await a.log.count(({ msg, peer }) => msg === 'linked' && peer === 'n1', 2);
  t.is(b.log.all.filter(({ msg }) => msg === 'unlinked').length, 0);
  const failed = a.log.all.filter(
    ({ msg, context }) => msg === 'supervisor report' && context === 'start_error',
  );
  t.deepEqual(failed, []);
});

test('what a link that is killed had waiting is counted, and the other side knows its number', async (t) => {
  const { a, b, near, serving } = await talking(t);
  suspend(serving.pid);
  for (const number of [1, 2, 3]) near.send(publish(number));
  await near.take(3);
  exit(serving.pid, 'kill');
  await b.log.count(({ msg, peer }) => msg === 'linked' && peer === 'n0', 2);
  t.like(
    b.log.all.findLast(({ msg }) => msg === 'linked'),
    { missed: 3, lost: 3 },
  );
  t.is(a.accounting.dropped.crash, 3);
  await eventually(() => isBalanced(a.accounting), 'the counts are balanced');
});
