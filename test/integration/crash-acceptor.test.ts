import test from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { freePorts } from '../support/cluster.ts';
import { crowd, hasAllInOrder, quietAccount } from '../support/promises.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const COUNTS = { readers: 20, publishers: 4 };
function named({ relay }: TestRelay, name: string): Pid<unknown> {
  const pid = [...relay.system.processes.values()].find((one) => one.name === name || one.label === name);
  if (pid === undefined) throw new Error(`no process ${name}`);
  return pid;
}

function endsOf(clients: readonly WsClient[]) {
  return clients.flatMap(({ got }) => got.all.filter((one) => typeof one === 'object' && 'code' in one));
}

test('a listener supervisor that is killed under load leaves the connections alone, and the ports are open again', async (t) => {
  const [port = 0] = await freePorts(1);
  const relay = await startTestRelay(t, { doors: { pinghub: { port } } });
  const people = await crowd(t, port, '/t', COUNTS);
  const everybody = [...people.readers, ...people.publishers];
  await people.publish(300, (round) => {
    if (round === 5) exit(named(relay, 'acceptor') as Pid<never>, 'kill');
  });
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  t.deepEqual(endsOf(everybody), []);
  await relay.log.count(({ msg, door }) => msg === 'listening' && door === 'pinghub', 2);
  const late = await connectWs(t, port, '/t');
  late.send('late');
  t.is(await late.next(), 'late');
});

test('a listener that is killed is followed by one on the same port', async (t) => {
  const [port = 0] = await freePorts(1);
  const relay = await startTestRelay(t, { doors: { pinghub: { port } } });
  const before = await connectWs(t, port, '/t');
  exit(named(relay, 'listener.pinghub') as Pid<never>, 'kill');
  await relay.log.count(({ msg, door }) => msg === 'listening' && door === 'pinghub', 2);
  const after = await connectWs(t, port, '/t');
  after.send('both');
  t.is(await before.next(), 'both');
});
