import test, { type ExecutionContext } from 'ava';
import { exit } from '../../../src/otp/signal.ts';
import { suspend } from '../../../src/otp/sys.ts';
import { eventually } from '../../support/arrivals.ts';
import { type NatsServer, skipWithoutNats, startNats } from '../../support/nats.ts';
import { pusu, subscriber } from '../../support/pusu-clients.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../../support/relay.ts';

const frame = (content: unknown) => JSON.stringify({ type: 'publish', channel: 'c', content });

function relay(
  t: ExecutionContext,
  { address }: NatsServer,
  node: string,
  heartbeat = '100ms',
): Promise<TestRelay> {
  return startTestRelay(t, {
    node,
    cluster: { backplane: 'nats', servers: [address] },
    network: { heartbeat, timeout: '60s' },
    doors: { pusu: {} },
  });
}

test('a link that is killed is started again, takes up all topics, and leaves no connection', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const [a, b] = [await relay(t, server, 'a'), await relay(t, server, 'b')];
  await a.log.find(({ msg }) => msg === 'linked');
  const one = await subscriber(t, b, 'c');
  const publisher = await pusu(t, a);
  for (const killed of [a, b]) {
    publisher.send(frame(`before ${killed === a}`));
    t.is(await one.next(), frame(`before ${killed === a}`));
    const { network } = killed.relay.nats ?? {};
    const first = network?.open?.connection;
    const link = killed.relay.system.names.get('cluster.nats-link');
    if (link === undefined || first === undefined) throw new Error('there is no link');
    const connected = killed.log.all.filter(({ msg }) => msg === 'nats connected').length;
    exit(link, 'kill');
    await killed.log.count(({ msg }) => msg === 'nats connected', connected + 1);
    await eventually(() => first.isClosed(), 'its connection is closed');
    // Interest is back once a version of it has been confirmed: what comes after it is heard.
    await eventually(() => {
      publisher.send(frame('again'));
      return one.got.all.at(-1) === frame('again');
    }, 'messages come again');
    publisher.send(frame(`end ${killed === a}`));
    for (let got = await one.next(); got !== frame(`end ${killed === a}`); got = await one.next())
      t.is(got, frame('again'));
  }
  for (const { accounting } of [a, b]) await eventually(() => isBalanced(accounting), 'all is accounted for');
});

test('what waited for a link that is killed is counted, be it to go out or come in', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  // Nothing but messages comes to a link in the next 20 seconds.
  const [a, b] = [await relay(t, server, 'a', '20s'), await relay(t, server, 'b', '20s')];
  const linkOf = ({ relay: { system } }: TestRelay) => {
    const link = system.names.get('cluster.nats-link');
    if (link === undefined) throw new Error('there is no link');
    return link;
  };
  const [near, far] = [await subscriber(t, a, 'c'), await subscriber(t, b, 'c')];
  const publisher = await pusu(t, a);
  const publish = async (content: number) => {
    publisher.send(frame(content));
    t.is(await near.next(), frame(content));
  };
  await publish(0);
  t.is(await far.next(), frame(0));
  suspend(linkOf(b));
  for (const number of [1, 2, 3]) await publish(number);
  await eventually(() => linkOf(b).mailboxLength >= 3, 'they have come');
  exit(linkOf(b), 'kill');
  t.is(b.accounting.lost.crash, 3);
  suspend(linkOf(a));
  for (const number of [4, 5]) await publish(number);
  exit(linkOf(a), 'kill');
  t.is(a.accounting.dropped.crash, 2);
  for (const { accounting } of [a, b]) await eventually(() => isBalanced(accounting), 'all is accounted for');
  t.is(a.accounting.messages, 6);
  t.is(b.accounting.messages, 4);
});

test('a list of servers that changes takes effect, for a link that is started again as well', async (t) => {
  if (skipWithoutNats(t)) return;
  const [first, second] = [await startNats(t), await startNats(t)];
  const one = await relay(t, first, 'a');
  await one.log.find(({ msg, server }) => msg === 'nats connected' && server === first.address);
  one.relay.nats?.reload([first.address]);
  one.relay.nats?.reload([second.address]);
  await one.log.find(({ msg, server }) => msg === 'nats connected' && server === second.address);
  t.is(one.log.all.filter(({ msg }) => msg === 'nats connected').length, 2);
  const link = one.relay.system.names.get('cluster.nats-link');
  if (link === undefined) throw new Error('there is no link');
  exit(link, 'kill');
  await one.log.count(({ msg }) => msg === 'nats connected', 3);
  t.is(one.log.all.findLast(({ msg }) => msg === 'nats connected')?.['server'], second.address);
});

test('what is no message of a relay is counted, and harms nothing', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const one = await relay(t, server, 'a');
  await one.log.find(({ msg }) => msg === 'nats connected');
  const listener = await subscriber(t, one, 'c');
  const { network } = one.relay.nats ?? {};
  const { connect, headers } = await import('@nats-io/transport-node');
  const stranger = await connect({ servers: server.address });
  t.teardown(() => stranger.close());
  const from = (value: string) => {
    const all = headers();
    all.set('Fanfare-Relay', value);
    return { headers: all };
  };
  const subjects = ['fanfare.topic.main.c', 'fanfare.relays', `fanfare.relay.${network?.self.incarnation}`];
  for (const subject of subjects) {
    stranger.publish(subject, 'garbage');
    for (const value of ['', '2 x y', '1 x', '1 x y z']) stranger.publish(subject, 'garbage', from(value));
    stranger.publish(subject, 'garbage', from('1 x y'));
  }
  await stranger.flush();
  await eventually(() => network?.stats.foreign === 18, '18 foreign messages');
  (await pusu(t, one)).send(frame('still here'));
  t.is(await listener.next(), frame('still here'));
});
