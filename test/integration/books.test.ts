import test from 'ava';
import fc from 'fast-check';
import { eventually } from '../support/arrivals.ts';
import { type Blow, blows, links, repairAll, strike, upperBlows, workers } from '../support/havoc.ts';
import { skipWithoutNats, startNats } from '../support/nats.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { Throng, throngDoors } from '../support/throng.ts';

/**
 * Whatever dies, and whenever: each message is counted, once, and those who come afterwards are served. A failure names
 * the seed, which FANFARE_SEED brings back.
 */
const given = process.env['FANFARE_SEED'];
const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);

/** What is done: to a relay, one after the other; `links`: the connections between relays end. */
interface Plan {
  readonly blows: readonly (Blow & { readonly relay: number })[];
  readonly upper: readonly { readonly at: number; readonly relay: number; readonly blow: Blow }[];
}

const relay = fc.nat(1);
const plans = (kinds: readonly string[]): fc.Arbitrary<Plan> =>
  fc.record({
    blows: fc.array(
      fc.tuple(blows(kinds), relay).map(([blow, index]) => ({ ...blow, relay: index })),
      { minLength: 15, maxLength: 25 },
    ),
    // With many of these, a relay ends as it is to end then.
    upper: fc.array(fc.record({ at: fc.nat(14), relay, blow: upperBlows }), { minLength: 1, maxLength: 4 }),
  });

async function carryOut({ blows: each, upper }: Plan, throngs: readonly Throng[]): Promise<number[]> {
  const added = throngs.map(() => 0);
  const hit = (index: number, blow: Blow) => {
    const at = index % throngs.length;
    added[at] = (added[at] ?? 0) + strike((throngs[at] as Throng).relay, blow);
  };
  for (const [step, blow] of each.entries()) {
    for (const throng of throngs) {
      throng.fill();
      throng.publish();
    }
    // What was sent is on its way through the relay by now.
    for (let turn = 0; turn < 1 + (blow.which % 4); turn++) await nextTurn();
    hit(blow.relay, blow);
    for (const one of upper) if (one.at === step) hit(one.relay, one.blow);
    for (const throng of throngs) throng.publish();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  }
  repairAll();
  return added;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Everybody is back, and nothing is under way: what `holds` is asked again until it does, and goes on to for a while. */
async function quiet(throngs: readonly Throng[], holds: () => boolean, what: () => unknown): Promise<void> {
  await eventually(() => {
    for (const throng of throngs) throng.fill();
    return throngs.every(({ here, places, taken }) => here === places && taken >= 0);
  }, 'everybody is back');
  await Promise.all(throngs.map((throng) => throng.settled()));
  let turns = 0;
  try {
    await eventually(() => {
      for (const throng of throngs) throng.fill();
      turns = holds() ? turns + 1 : 0;
      return turns > 50;
    }, 'the books are balanced');
  } catch {
    throw new Error(`the books are not balanced: ${JSON.stringify(what())}`);
  }
}

const options = { seed, endOnFailure: true } as const;

test.serial('alone: whatever dies, each message is counted once, and new clients are served', async (t) => {
  t.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(plans(workers), async (plan) => {
      const one = await startTestRelay(t, { doors: throngDoors });
      const throng = new Throng(t, one);
      await quiet(
        [throng],
        () => true,
        () => null,
      );
      const [added = 0] = await carryOut(plan, [throng]);
      const { accounting } = one;
      await quiet(
        [throng],
        () => isBalanced(accounting) && accounting.messages === throng.taken + added,
        () => ({ ...accounting, samples: null, taken: throng.taken, added }),
      );
      one.relay.stop();
      await one.relay.ended;
    }),
    { ...options, numRuns: 15, includeErrorInReport: true },
  );
  t.pass();
});

test.serial('linked: whatever dies at whom, each message is counted once, at both', async (t) => {
  t.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(plans([...workers, ...links, 'connection']), async (plan) => {
      const { relays, link } = await pairOfRelays(t, {
        doors: throngDoors,
        topics: [{ pattern: 'orders.*', ordering: 'cluster' }],
      });
      await link();
      const throngs = relays.map((one, index) => new Throng(t, one, `owned-${index}`));
      await quiet(
        throngs,
        () => true,
        () => null,
      );
      const added = await carryOut(plan, throngs);
      const books = () =>
        relays.map((one, index) => bookOf(one, throngs[index] as Throng, added[index] ?? 0));
      await quiet(
        throngs,
        () => {
          const [a, b] = books() as [Book, Book];
          return isClosed(a, b) && isClosed(b, a);
        },
        () => [books(), relays.map(({ accounting }) => ({ ...accounting, samples: null }))],
      );
      for (const one of relays) one.relay.stop();
      for (const one of relays) await one.relay.ended;
    }),
    { ...options, numRuns: 8, includeErrorInReport: true },
  );
  t.pass();
});

test.serial('over NATS: whatever dies at whom, each message is counted once, at both', async (t) => {
  if (skipWithoutNats(t)) return;
  t.log(`seed ${seed}`);
  const server = await startNats(t);
  await fc.assert(
    fc.asyncProperty(plans([...workers, ...workers, 'nats-link']), async (plan) => {
      const settings = {
        cluster: { backplane: 'nats', servers: [server.address] },
        network: { heartbeat: '50ms', timeout: '10s' },
        doors: throngDoors,
      };
      const relays = [
        await startTestRelay(t, { node: 'n0', ...settings }),
        await startTestRelay(t, { node: 'n1', ...settings }),
      ];
      const throngs = relays.map((one, index) => new Throng(t, one, `owned-${index}`));
      await quiet(
        throngs,
        () => relays.every(({ relay: { nats } }) => nats?.network.stats.connected === true),
        () => null,
      );
      const added = await carryOut(plan, throngs);
      const books = () =>
        relays.map(({ relay: { nats }, accounting }, index) => ({
          isBalanced: isBalanced(accounting),
          messages: accounting.messages,
          published: (throngs[index]?.taken ?? 0) + (added[index] ?? 0),
          came: nats?.network.stats.received ?? Number.NaN,
        }));
      await quiet(
        throngs,
        () => books().every((one) => one.isBalanced && one.messages === one.published + one.came),
        () => [books(), relays.map(({ accounting }) => ({ ...accounting, samples: null }))],
      );
      for (const one of relays) one.relay.stop();
      for (const one of relays) await one.relay.ended;
    }),
    { ...options, numRuns: 4, includeErrorInReport: true },
  );
  t.pass();
});

/** Where the messages of a relay came from, and where they went, with the other one alone. */
interface Book {
  readonly isBalanced: boolean;
  /** Fanned out here, or lost. */
  readonly messages: number;
  /** Taken at the doors, or published by the test. */
  readonly published: number;
  /** Came over the link, fanned out by the other relay. */
  readonly came: number;
  /** Taken from the other relay to be given their order. */
  readonly taken: number;
}

function bookOf({ relay: { backplane }, accounting }: TestRelay, throng: Throng, added: number): Book {
  const network = backplane?.network;
  const other = network?.self.node === 'n0' ? 'n1' : 'n0';
  return {
    isBalanced: isBalanced(accounting),
    messages: accounting.messages,
    published: throng.taken + added,
    came: network?.inbound.countsOf(other)?.received ?? Number.NaN,
    taken: network?.outbound.of(other)?.fates.taken ?? Number.NaN,
  };
}

/** What a relay takes to be given its order by another one, it counts there and not here. */
function isClosed(here: Book, there: Book): boolean {
  return here.isBalanced && here.messages === here.published + here.came + here.taken - there.taken;
}
