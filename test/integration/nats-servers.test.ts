import test, { type ExecutionContext } from 'ava';
import { parseMetrics, sumOf } from '../support/admin.ts';
import { freePorts, linkedTo, type Node } from '../support/cluster.ts';
import { type NatsServer, skipWithoutNats, startNats, startNatsRelay } from '../support/nats.ts';
import { missing, startPublisher, startSubscriber } from '../support/traffic.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

/** Starts one of two servers of a cluster: `own` and `other` are the ports where they meet, `at` is that of its clients. */
function clustered(t: ExecutionContext, own: number, other: number, at: number): Promise<NatsServer> {
  const address = (port: number) => `nats://127.0.0.1:${port}`;
  const args = ['--cluster_name', 'c', '--cluster', address(own), '--routes', address(other)];
  return startNats(t, args, at);
}

async function unlinkedAt(node: Node): Promise<number> {
  const metrics = parseMetrics(await (await fetch(`${await node.atHttp('admin')}/metrics`)).text());
  return sumOf(metrics, 'fanfare_dropped_total', 'reason="unlinked"');
}

test('a relay whose server is killed under load goes on at another one of the cluster, and says what may be lost', async (t) => {
  if (skipWithoutNats(t)) return;
  const [first, second, here, there] = (await freePorts(4)) as [number, number, number, number];
  const one = await clustered(t, first, second, here);
  // The other server is not there yet, so this relay has no choice.
  const a = await startNatsRelay(t, [one.address, `127.0.0.1:${there}`], 'relay-1');
  await a.log.find(({ msg }) => msg === 'nats connected');
  const two = await clustered(t, second, first, there);
  const b = await startNatsRelay(t, [two.address], 'relay-2');
  await Promise.all([linkedTo(a, b.name), linkedTo(b, a.name)]);
  const owner = await connectWs(t, await a.at('wspubsub'), '/ws/pub/key/example.com/t');

  const near = await startSubscriber(t, await a.at('pusu'), 'c');
  const far = await startSubscriber(t, await b.at('pusu'), 'c');
  const back = await startSubscriber(t, await a.at('pusu'), 'd');
  const publisher = await startPublisher(t, await a.at('pusu'), 'c', 'p', 1000);
  const other = await startPublisher(t, await b.at('pusu'), 'd', 'q', 1000);
  await far.client.got.find(() => far.of('p').count > 500 && back.of('q').count > 500, 'messages before');
  const from = [a.log.all.length, b.log.all.length] as const;
  await one.kill();
  const since = performance.now();
  const end = await a.log.find(({ msg }) => msg === 'nats disconnected', 'the end of its connection');
  await linkedTo(a, b.name, from[0]);
  t.log(`linked again after ${Math.round(performance.now() - since)} ms; unconfirmed: ${end['unconfirmed']}`);
  t.true(performance.now() - since < 5000);
  const connected = a.log.all.findLast(({ msg }) => msg === 'nats connected');
  t.is(connected?.['server'], two.address);

  // Both ways, and owners: all is as it was.
  const seen = [far.of('p').last, back.of('q').last] as const;
  await far.client.got.find(() => far.of('p').last > seen[0], 'messages to it');
  await back.client.got.find(() => back.of('q').last > seen[1], 'messages from it');
  for (const each of [publisher, other]) each.stop();
  await Promise.all([near.end(publisher), far.end(publisher), back.end(other)]);
  t.is(missing(t, near, publisher), 0, 'local');
  missing(t, back, other);
  const lost = missing(t, far, publisher);
  const counted = await unlinkedAt(a);
  t.log(`missed ${lost} of ${publisher.sent()}; counted ${counted}`);
  t.true(lost > 0);
  // What the dead server had taken and not passed on is known to nobody.
  t.true(lost <= counted + 100, `${lost} missed, ${counted} counted`);
  t.is((await refusedWs(t, await b.at('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  const listener = await connectWs(t, await b.at('wspubsub'), '/ws/sub/example.com/t');
  owner.send('still here');
  t.is(await listener.next(), 'still here');
});
