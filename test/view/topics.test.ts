import test from 'ava';
import { topics } from '../../src/view/topics.ts';
import { eventually } from '../support/arrivals.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { connectWs } from '../support/ws-client.ts';

test('the owner of a topic is shown at every relay: a process, the relay where it is, or that it is awaited', async (t) => {
  const { relays, link } = await pairOfRelays(t);
  const [first, second] = relays;
  const [own, other] = relays.map(
    ({ relay }) =>
      () =>
        topics(relay.node, 'name', { limit: 1 }).rows[0]?.owner,
  );
  await link();
  const owner = await connectWs(t, first.port('wspubsub'), '/ws/pub/key/d/ticker');
  await connectWs(t, second.port('wspubsub'), '/ws/sub/d/ticker');
  await connectWs(t, first.port('wspubsub'), '/ws/sub/d/ticker');
  t.regex(own?.() ?? '', /^<\d+>$/);
  t.is(other?.(), 'at n0');
  await owner.leave();
  await eventually(() => own?.() === 'gone, awaited', 'the own relay awaits it');
  await eventually(() => other?.() === 'gone from n0, awaited', 'the other one says where it has gone from');
});
