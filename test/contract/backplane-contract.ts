import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { owner } from '../support/claimed.ts';
import { confirmed } from '../support/confirmed.ts';
import { pusu, subscriber } from '../support/pusu-clients.ts';
import { isBalanced, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

/** What every backplane does. `start` brings up that many linked relays, whose wspubsub grace is 5 s. */
export interface BackplaneUnderTest {
  readonly name: string;
  /** How many relays it links: 1 for none at all. */
  readonly relays: number;
  start(t: ExecutionContext, count: number): Promise<readonly TestRelay[]>;
  /** Says why it cannot be tested here. True: the test is to end. */
  skip?(t: ExecutionContext): boolean;
}

/** The doors that the suite needs. */
export const contractDoors = {
  pusu: {},
  pinghub: {},
  wspubsub: { grace: '5s', apikeys: { list: [{ domain: 'd', key: 'key' }] } },
};

/** Milliseconds that a relay waits for the answers to a claim over NATS: who has not answered then has lost nothing yet. */
const IN_TIME = 240;

const publish = (channel: string, content: unknown) => JSON.stringify({ type: 'publish', channel, content });

export function backplaneContract({ name, relays: count, start, skip }: BackplaneUnderTest): void {
  const contract = (
    title: string,
    body: (t: ExecutionContext, relays: readonly TestRelay[]) => Promise<void>,
  ) =>
    // Relays of all tests at once would be slow enough for their limits.
    test.serial(`${name}: ${title}`, async (t) => {
      if (skip?.(t) !== true) await body(t, await start(t, count));
    });

  contract('a message reaches every subscriber once, wherever it was published', async (t, relays) => {
    const subscribers = await Promise.all(relays.map((relay) => subscriber(t, relay, 'c')));
    for (const [index, relay] of relays.entries()) (await pusu(t, relay)).send(publish('c', index));
    for (const one of subscribers) {
      t.deepEqual(
        (await one.take(relays.length)).sort(),
        relays.map((_, index) => publish('c', index)).sort(),
      );
    }
    await settled(t, relays);
    for (const one of subscribers) t.is(one.got.all.length, 2 + relays.length);
  });

  contract('a relay that has started has made its links', async (t, relays) => {
    for (const { relay } of relays) t.deepEqual((relay.backplane ?? relay.nats)?.beingMade(), []);
  });

  contract('each relay has the numbers of all others, which count as no messages', async (t, relays) => {
    const member = await subscriber(t, relays[0] as TestRelay, 'c');
    for (const { relay } of relays) {
      const others = relays.filter((one) => one.relay !== relay).map((one) => one.relay.node.node);
      await eventually(() => {
        const [own, ...rows] = relay.node.relays();
        const known = rows.filter(({ state, connections }) => state === 'ready' && connections !== null);
        const first = rows.find(({ node }) => node === relays[0]?.relay.node.node) ?? own;
        return known.length === others.length && first?.connections === 1;
      }, `${relay.node.node} knows how all are`);
      const rows = relay.node.relays();
      t.deepEqual(
        rows.map(({ node }) => node),
        [relay.node.node, ...others.toSorted()],
      );
      for (const { messages, bytes } of relay.node.links() ?? []) t.is((messages ?? 0) + (bytes ?? 0), 0);
    }
    await member.leave();
    for (const { accounting } of relays) t.is(accounting.messages + accounting.attempts, 0);
  });

  contract('the messages that relays tell of are those of their own clients', async (t, relays) => {
    const [first, last] = [relays[0] as TestRelay, relays.at(-1) as TestRelay];
    const member = await subscriber(t, last, 'c');
    const publisher = await pusu(t, first);
    const sending = setInterval(() => publisher.send(publish('c', 1)), 20);
    t.teardown(() => clearInterval(sending));
    await member.next();
    for (const { relay } of relays)
      await eventually(() => {
        const rows = relay.node.relays();
        const of = (one: TestRelay) => rows.find(({ node }) => node === one.relay.node.node);
        return (of(first)?.in ?? 0) > 0 && (of(last)?.out ?? 0) > 0;
      }, `${relay.node.node} is told of both`);
    const own = last.relay.node.relays()[0];
    if (first !== last) t.is(own?.in, 0);
    else t.true((own?.in ?? 0) > 0);
    clearInterval(sending);
  });

  contract("one publisher's messages keep their order everywhere", async (t, relays) => {
    const subscribers = await Promise.all(relays.map((relay) => subscriber(t, relay, 'c')));
    const publisher = await pusu(t, relays[0] as TestRelay);
    const frames = Array.from({ length: 500 }, (_, index) => publish('c', index));
    publisher.send(...frames);
    for (const one of subscribers) t.deepEqual(await one.take(500), frames);
    await settled(t, relays);
  });

  contract('all members at one relay see one order', async (t, relays) => {
    const last = relays.at(-1) as TestRelay;
    const members = await Promise.all([1, 2, 3].map(() => subscriber(t, last, 'c')));
    const publishers = await Promise.all(relays.map((relay) => pusu(t, relay)));
    for (let i = 0; i < 100; i++)
      for (const [index, one] of publishers.entries()) one.send(publish('c', `${index} ${i}`));
    const [first, ...others] = await Promise.all(members.map((one) => one.take(100 * relays.length)));
    for (const other of others) t.deepEqual(other, first);
  });

  contract(
    'a publisher is heard in order, while members come and go beside it and elsewhere',
    async (t, relays) => {
      const publisher = await pusu(t, relays[0] as TestRelay);
      const distant = await subscriber(t, relays.at(-1) as TestRelay, 'c');
      const passing = await pusu(t, relays[0] as TestRelay);
      const frames = Array.from({ length: 400 }, (_, index) => publish('c', index));
      for (const [index, frame] of frames.entries()) {
        publisher.send(frame);
        if (index === 200) passing.send(JSON.stringify({ type: 'subscribe', channel: 'c' }));
        // A turn of the event loop now and then, so that the relays see them in pieces.
        if (index % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      t.deepEqual(await distant.take(400), frames);
      // However late it came in: there is one that it must hear.
      await passing.next();
      frames.push(publish('c', 'last'));
      publisher.send(frames.at(-1) as string);
      t.is(await distant.next(), frames.at(-1) as string);
      await passing.got.find((got) => got === frames.at(-1));
      const got = passing.got.all.filter((one) => String(one).includes('"publish"'));
      t.deepEqual(got, frames.slice(-got.length));
    },
  );

  contract(
    'what is published at several relays, in topics that nobody is in there, arrives in order',
    async (t, relays) => {
      const channels = Array.from({ length: 20 }, (_, index) => `c${index}`);
      const subscribers = await Promise.all(
        channels.map((channel) => subscriber(t, relays.at(-1) as TestRelay, channel)),
      );
      const publisher = await pusu(t, relays[0] as TestRelay);
      for (let i = 0; i < 50; i++) for (const channel of channels) publisher.send(publish(channel, i));
      for (const [index, one] of subscribers.entries()) {
        const frames = Array.from({ length: 50 }, (_, i) => publish(channels[index] as string, i));
        t.deepEqual(await one.take(50), frames);
      }
      await settled(t, relays);
    },
  );

  contract('topics of any name stay apart', async (t, relays) => {
    const names = [
      ' ',
      '.',
      '..',
      '*',
      '>',
      'a.b',
      'a.*',
      'a.>',
      'a',
      'A',
      '%',
      '%25',
      '$SYS',
      'ü',
      '日本 🦆',
    ];
    const odd = [...names, '\r\n', '\0', '🦆'.repeat(256)];
    const publisher = await pusu(t, relays[0] as TestRelay);
    const subscribers: WsClient[] = [];
    for (const channel of odd) subscribers.push(await subscriber(t, relays.at(-1) as TestRelay, channel));
    for (const content of ['x', 'y']) for (const channel of odd) publisher.send(publish(channel, content));
    for (const [index, channel] of odd.entries())
      t.deepEqual(await subscribers[index]?.take(2), [publish(channel, 'x'), publish(channel, 'y')]);
  });

  contract('after an acknowledgement nothing is missed, at any door', async (t, relays) => {
    const [here, there] = [relays[0] as TestRelay, relays.at(-1) as TestRelay];
    const publisher = await pusu(t, there);
    for (let i = 0; i < 20; i++) {
      const one = await subscriber(t, here, `pusu-${i}`);
      publisher.send(publish(`pusu-${i}`, 'x'));
      t.is(await one.next(), publish(`pusu-${i}`, 'x'));
      const other = await confirmed(t, here.port('pusu'), () =>
        connectWs(t, here.port('pinghub'), `/pinghub-${i}`),
      );
      publisher.send(publish(`pinghub-${i}`, 'x'));
      t.is(await other.next(), 'x');
    }
  });

  contract('a topic without members is forgotten everywhere, in a while', async (t, relays) => {
    const one = await subscriber(t, relays[0] as TestRelay, 'c');
    await one.leave();
    await eventually(() => relays.every(({ relay }) => [...relay.topics.all()].length === 0), 'no topic');
    t.pass();
  });

  contract('text, binary and JSON arrive as what they are', async (t, relays) => {
    const [here, there] = [relays[0] as TestRelay, relays.at(-1) as TestRelay];
    const first = await owner(t, there, { key: 'key', topic: 'd/t' }, relays);
    const one = await confirmed(t, here.port('pusu'), () =>
      connectWs(t, here.port('wspubsub'), '/ws/sub/d/t'),
    );
    first.send('text', Buffer.from([0, 0xff]), '');
    t.deepEqual(await one.take(3), ['text', Buffer.from([0, 0xff]), '']);
    const json = await subscriber(t, here, 'c');
    const frame = '{"content":[1.0, 12345678901234567890],"channel":"c","type":"publish","more":{}}';
    (await pusu(t, there)).send(frame);
    t.is(await json.next(), frame);
  });

  contract(
    'a topic has one owner in the whole network, who may come back anywhere within the grace',
    async (t, relays) => {
      const at = (index: number) => (relays[index % relays.length] as TestRelay).port('wspubsub');
      const [first] = relays as readonly [TestRelay];
      const before = await owner(t, first, { key: 'key', topic: 'd/t' }, relays);
      const listening = await Promise.all(
        relays.map((relay, index) =>
          confirmed(t, relay.port('pusu'), () => connectWs(t, at(index), '/ws/sub/d/t')),
        ),
      );
      for (const index of relays.keys()) t.is((await refusedWs(t, at(index), '/ws/pub/key/d/t')).status, 409);
      await before.leave();
      // A relay that has not heard of it yet would refuse the next one.
      await eventually(() => relays.every(isInGrace), 'all know that the owner has left');
      const back = await connectWs(t, at(1), '/ws/pub/key/d/t');
      back.send('still here');
      for (const one of listening) t.is(await one.next(), 'still here');
      t.is((await refusedWs(t, at(2), '/ws/pub/key/d/t')).status, 409);
      await back.leave();
      for (const one of listening) t.deepEqual(await one.next(), { code: 1000, reason: 'topic ended' });
      for (const index of relays.keys()) t.is((await refusedWs(t, at(index), '/ws/sub/d/t')).status, 404);
    },
  );

  contract('of claims made at once exactly one is granted', async (t, relays) => {
    for (let round = 0; round < 5; round++) {
      const since = performance.now();
      const claims = await Promise.allSettled(
        [...relays, ...relays].map((relay) =>
          connectWs(t, relay.port('wspubsub'), `/ws/pub/key/d/r${round}`),
        ),
      );
      const granted = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
      if (performance.now() - since < IN_TIME) t.is(granted.length, 1);
      const left = () => granted.filter(({ got }) => got.all.length === 0).length;
      await eventually(() => left() <= 1, 'the others have lost');
      t.is(left(), 1);
    }
  });
}

/** Whether a relay knows that the owner has left. */
function isInGrace({ relay }: TestRelay): boolean {
  const lifetime = relay.topics.find('wspubsub', 'd/t')?.lifetime;
  return lifetime?.state === 'grace' || (lifetime?.state === 'elsewhere' && lifetime.grace);
}

/** Every attempt has become a delivery or a counted drop. */
async function settled(t: ExecutionContext, relays: readonly TestRelay[]): Promise<void> {
  await eventually(() => relays.every(({ accounting }) => isBalanced(accounting)), 'the counts are balanced');
  t.true(relays.every(({ accounting }) => Object.values(accounting.dropped).every((count) => count === 0)));
}
