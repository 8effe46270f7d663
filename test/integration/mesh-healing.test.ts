import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { eventually } from '../support/arrivals.ts';
import { confirmed } from '../support/confirmed.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

test('of two owners after a partition the older one stays, and the other is told why', async (t) => {
  const { relays, link } = await pairOfRelays(t);
  const [a, b] = relays;
  const older = await connectWs(t, a.port('wspubsub'), '/ws/pub/key/d/t');
  // By the clock that claims are dated with, the next one is younger.
  for (const claimed = Date.now(); Date.now() <= claimed; ) await turn();
  const younger = await connectWs(t, b.port('wspubsub'), '/ws/pub/key/d/t');
  const atA = await connectWs(t, a.port('wspubsub'), '/ws/sub/d/t');
  const atB = await connectWs(t, b.port('wspubsub'), '/ws/sub/d/t');
  younger.send('of the younger');
  t.is(await atB.next(), 'of the younger');
  await link();
  t.deepEqual(await younger.next(), { code: 1008, reason: 'owned elsewhere' });
  await wantedElsewhere(a);
  older.send('of the older');
  t.is(await atA.next(), 'of the older');
  t.is(await atB.next(), 'of the older');
  t.is((await refusedWs(t, b.port('wspubsub'), '/ws/pub/key/d/t')).status, 409);
});

test('an owner who cannot be heard has the grace to come back, there or here', async (t) => {
  const { relays, link, part } = await pairOfRelays(t);
  const [a, b] = relays;
  await link();
  const owner = await connectWs(t, a.port('wspubsub'), '/ws/pub/key/d/t');
  const one = await connectWs(t, b.port('wspubsub'), '/ws/sub/d/t');
  await part();
  await link();
  t.is((await refusedWs(t, b.port('wspubsub'), '/ws/pub/key/d/t')).status, 409);
  await wantedElsewhere(a);
  owner.send('still here');
  t.is(await one.next(), 'still here');
  await part();
  await owner.leave();
  const elsewhere = await connectWs(t, b.port('wspubsub'), '/ws/pub/key/d/t');
  elsewhere.send('moved');
  t.is(await one.next(), 'moved');
});

test('an owner who cannot be heard for longer than the grace is gone for those who cannot hear it', async (t) => {
  const { relays, link, part } = await pairOfRelays(t, { grace: '200ms' });
  const [a, b] = relays;
  await link();
  await connectWs(t, a.port('wspubsub'), '/ws/pub/key/d/t');
  const near = await connectWs(t, a.port('wspubsub'), '/ws/sub/d/t');
  const far = await connectWs(t, b.port('wspubsub'), '/ws/sub/d/t');
  await part();
  t.deepEqual(await far.next(), { code: 1000, reason: 'topic ended' });
  t.is(near.got.all.length, 0);
  await link();
  // Who can hear it again may listen again.
  await eventually(
    () => b.relay.topics.find('wspubsub', 'd/t')?.lifetime.state === 'elsewhere',
    'it is owned',
  );
  await t.notThrowsAsync(connectWs(t, b.port('wspubsub'), '/ws/sub/d/t'));
});

type Act =
  | { readonly act: 'subscribe' | 'unsubscribe'; readonly topic: number }
  | { readonly act: 'publish'; readonly topic: number; readonly count: number }
  | { readonly act: 'part' | 'link' | 'break' };

const topic = fc.nat({ max: 2 });
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: topic.map((of) => ({ act: 'subscribe' as const, topic: of })) },
  { weight: 2, arbitrary: topic.map((of) => ({ act: 'unsubscribe' as const, topic: of })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(topic, fc.integer({ min: 1, max: 40 }))
      .map(([of, count]) => ({ act: 'publish' as const, topic: of, count })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('part' as const, 'link' as const, 'break' as const).map((act) => ({ act })),
  },
);

test('whatever joins, leaves, publishes and disconnects: no message twice or out of order, all losses counted alike', async (t) => {
  t.timeout(120_000);
  const { relays, link, part, breakLinks } = await pairOfRelays(t);
  const [a, b] = relays;
  await link();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 5, maxLength: 25 }), async (script) => {
      run++;
      const publisher = await greeted(t, b);
      const reader = await greeted(t, a);
      const joined = new Set<number>();
      let number = 0;
      for (const step of script) {
        switch (step.act) {
          case 'subscribe':
            if (joined.has(step.topic)) break;
            joined.add(step.topic);
            reader.send(JSON.stringify({ type: 'subscribe', channel: `${run}-${step.topic}` }));
            await acknowledged(reader, `${run}-${step.topic}`);
            break;
          case 'unsubscribe':
            joined.delete(step.topic);
            reader.send(JSON.stringify({ type: 'unsubscribe', channel: `${run}-${step.topic}` }));
            break;
          case 'publish':
            for (let i = 0; i < step.count; i++) {
              const channel = `${run}-${step.topic}`;
              publisher.send(JSON.stringify({ type: 'publish', channel, content: ++number }));
            }
            break;
          case 'part':
            await part();
            break;
          case 'link':
            await link();
            break;
          case 'break':
            await breakLinks();
            break;
        }
      }
      await link();
      // Behind these nothing of before can come.
      await subscribeUntilHeard(t, a.port('pusu'), reader, publisher, `${run}-end`);
      for (const of of [0, 1, 2]) {
        const list = ofChannel(reader, `${run}-${of}`);
        t.deepEqual(
          list,
          [...new Set(list)].sort((x, y) => x - y),
          'in order, each once',
        );
      }
      // What one end has counted as lost, the other one has, too: with the next heartbeat.
      await eventually(() => counts(b, a).served === counts(b, a).taken, 'both ends agree');
      await Promise.all([publisher.leave(), reader.leave()]);
      await eventually(() => isBalanced(a.accounting) && isBalanced(b.accounting), 'the counts are balanced');
    }),
    { numRuns: 60, endOnFailure: true, includeErrorInReport: true },
  );
});

/** Waits until a relay knows that the other one wants the topic of the owners. */
function wantedElsewhere({ relay }: TestRelay): Promise<void> {
  const remote = () => relay.topics.find('wspubsub', 'd/t')?.members.remote.length ?? 0;
  return eventually(() => remote() > 0, 'interest is known');
}

/** The numbers that came on a channel. */
function ofChannel(client: WsClient, channel: string): number[] {
  const numbers: number[] = [];
  for (const got of client.got.all) {
    const frame = typeof got === 'string' ? (JSON.parse(got) as { channel?: string; content?: unknown }) : {};
    if (frame.channel === channel && typeof frame.content === 'number') numbers.push(frame.content);
  }
  return numbers;
}

function counts(server: TestRelay, taker: TestRelay): { served: number; taken: number } {
  const served = server.relay.backplane?.network.outbound.of('n0')?.outbox.lost ?? -1;
  return { served, taken: taker.relay.backplane?.network.inbound.countsOf('n1')?.lost ?? -2 };
}

async function greeted(t: ExecutionContext, relay: TestRelay): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  await client.got.find((got) => got === '{"type":"hello"}');
  return client;
}

async function acknowledged(client: WsClient, channel: string): Promise<void> {
  await client.got.find((got) => got === JSON.stringify({ type: 'subscribe_ok', channel }));
}

async function subscribeUntilHeard(
  t: ExecutionContext,
  at: number,
  reader: WsClient,
  publisher: WsClient,
  channel: string,
): Promise<void> {
  await confirmed(t, at, async () => {
    reader.send(JSON.stringify({ type: 'subscribe', channel }));
    await acknowledged(reader, channel);
  });
  const end = JSON.stringify({ type: 'publish', channel, content: 'end' });
  publisher.send(end);
  await reader.got.find((got) => got === end);
}
