import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import { allKnow } from '../support/confirmed.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, type TestRelay } from '../support/relay.ts';
import { underway } from '../support/underway.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

/** One order for all: what is forwarded to the relay that makes it is taken there, or counted as unreachable. */

const settings = { topics: [{ pattern: 'orders.*', ordering: 'cluster' }], doors: { pinghub: {}, pusu: {} } };
/** A topic that the relay of that name gives its order. */
const topicAt = (home: string) =>
  Array.from({ length: 100 }, (_, index) => `orders.${index}`).find(
    (topic) => homeOf(`main\0${topic}`, ['n0', 'n1']) === home,
  ) ?? '';

function numbersOf({ got }: WsClient): number[] {
  return got.all.map(Number);
}

/** What of the other relay's messages a relay knows that it has missed. */
function missedBy({ relay, accounting }: TestRelay): number {
  const network = relay.backplane?.network;
  const counts = network?.inbound.countsOf(network.self.node === 'n0' ? 'n1' : 'n0');
  return (counts?.lost ?? 0) + accounting.lost.stale + accounting.lost.unheard;
}

function takenBy({ relay }: TestRelay): number {
  return relay.backplane?.network.outbound.of('n1')?.fates.taken ?? Number.NaN;
}

/** One topic whose home is at the first relay, listened to at both, and published to at the second. */
async function forwarding(t: ExecutionContext) {
  const pair = await pairOfRelays(t, settings);
  await pair.link();
  const [home, away] = pair.relays;
  const path = `/${topicAt('n0')}`;
  const near = await connectWs(t, home.port('pinghub'), path);
  const far = await connectWs(t, away.port('pinghub'), path);
  for (const relay of pair.relays) await allKnow(t, relay.port('pusu'));
  let sent = 0;
  const publish = (count: number) => {
    for (let i = 0; i < count; i++) far.send(String(++sent));
  };
  /** The end of the flow has come everywhere. */
  const end = async () => {
    publish(1);
    await eventually(
      () => [near, far].every((one) => numbersOf(one).at(-1) === sent),
      'the last message has come to both',
    );
    await eventually(() => pair.relays.every(({ accounting }) => isBalanced(accounting)), 'balanced books');
  };
  return { ...pair, home, away, near, far, publish, end, sent: () => sent };
}

/** By chance nothing may be on its way when a link breaks: then it is broken again. */
const MOST_ROUNDS = 60;

function isNothingLost({ accounting }: TestRelay): boolean {
  return accounting.lost.unreachable === 0;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test.serial(
  'links that break under load: each message was taken by its home, ordered here meanwhile, or is unreachable',
  async (t) => {
    const { home, away, near, far, publish, end, sent, breakLinks, link } = await forwarding(t);
    for (let round = 0; round < 6 || (isNothingLost(away) && round < MOST_ROUNDS); round++) {
      for (let turn = 0; turn < 10 + (round % 6); turn++) {
        publish(20);
        await nextTurn();
      }
      publish(100);
      await breakLinks();
      publish(100);
      await link();
    }
    await end();
    const { unreachable } = away.accounting.lost;
    t.true(unreachable > 0, 'some were on their way');
    for (const one of [near, far]) {
      const got = numbersOf(one);
      t.deepEqual(got, [...new Set(got)], 'none twice');
      t.deepEqual(
        got,
        got.toSorted((a, b) => a - b),
        'in order',
      );
    }
    t.is(
      sent() - numbersOf(far).length,
      unreachable + missedBy(away),
      'what is missed where it was published',
    );
    t.is(sent() - numbersOf(near).length, unreachable + missedBy(home), 'what is missed at the home');
    const stats = away.relay.backplane?.network.forwarded.of('n0');
    await eventually(() => stats?.taken === takenBy(home), 'the home says how many it has taken');
    t.like(stats, { sent: takenBy(home), unreachable });
    const lines = away.log.all.filter(({ msg }) => msg === 'linked');
    t.is(
      lines.reduce((sum, line) => sum + Number(line['unreachable'] ?? 0), 0),
      unreachable,
      'the log says so',
    );
    const dropped = away.accounting.dropped.unlinked + away.accounting.dropped.overflow;
    const out = away.relay.node.links()?.find(({ direction, peer }) => direction === 'out' && peer === 'n0');
    t.is(out?.lost, dropped + unreachable, 'and so do the tables of links');
  },
);

for (const which of ['inbound-link', 'outbound-link'] as const) {
  test.serial(`a ${which} that is killed under load: the count is as exact`, async (t) => {
    const { home, away, near, far, publish, end, sent, link } = await forwarding(t);
    const isSparing = () => which === 'outbound-link' && isNothingLost(away);
    for (let round = 0; round < 4 || (isSparing() && round < MOST_ROUNDS); round++) {
      for (let turn = 0; turn < 10; turn++) {
        publish(20);
        await nextTurn();
      }
      publish(200);
      for (let turn = 0; turn < round % 4; turn++) await nextTurn();
      const { system } = (which === 'inbound-link' ? away : home).relay;
      for (const one of system.processes.values())
        if (one.behaviour.name === which && (which === 'outbound-link' || takesPart(one.state)))
          exit(one, 'kill');
      await eventually(() => away.relay.backplane?.network.inbound.size === 0, 'it is missed');
      await link();
    }
    await end();
    const { unreachable } = away.accounting.lost;
    // What a killed link has written comes nevertheless.
    if (which === 'outbound-link') t.true(unreachable > 0);
    t.is(sent() - numbersOf(near).length, unreachable + missedBy(home));
    t.true(sent() - numbersOf(far).length >= unreachable);
    t.is(away.relay.backplane?.network.forwarded.of('n0')?.sent, takenBy(home));
  });
}

/** An inbound link from another relay, not one from this relay itself. */
function takesPart(state: unknown): boolean {
  const { connection } = state as {
    readonly connection?: { readonly session: { readonly phase: string } };
  };
  return connection?.session.phase === 'linked';
}

test.serial(
  'a relay that leaves the list is not waited for: what it has not confirmed is unreachable',
  async (t) => {
    const { home, away, publish, part } = await forwarding(t);
    publish(50);
    await eventually(() => takenBy(home) === 50, 'all are taken');
    const forwarded = away.relay.backplane?.network.forwarded;
    await eventually(() => forwarded?.of('n0')?.taken === 50, 'and that is known');
    forwarded?.sent('n0', underway(7));
    await part();
    t.is(away.accounting.lost.unreachable, 7);
    t.is(forwarded?.of('n0'), undefined);
  },
);
