import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ForwardedCounts } from '../../../src/cluster/mesh/forwarded-counts.ts';
import { underway } from '../../support/underway.ts';
import { Peers } from './peers.ts';

type Act =
  | { readonly act: 'publish' | 'forward'; readonly count: number }
  | { readonly act: 'flush' | 'beat' | 'link' | 'connect' | 'cut' | 'restart near' | 'restart far' }
  | { readonly act: 'arrive' | 'lose' | 'repeat' | 'be late'; readonly where: 'near' | 'far' };

const count = fc.integer({ min: 1, max: 5 });
const where = fc.constantFrom('near' as const, 'far' as const);
const of = (
  ...acts: readonly ('flush' | 'beat' | 'link' | 'connect' | 'cut' | 'restart near' | 'restart far')[]
) => fc.constantFrom(...acts).map((act) => ({ act }));
const onTheWay = (...acts: readonly ('arrive' | 'lose' | 'repeat' | 'be late')[]) =>
  fc.record({ act: fc.constantFrom(...acts), where });
const traffic: readonly fc.MaybeWeightedArbitrary<Act>[] = [
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom('publish' as const, 'forward' as const), count }),
  },
  { weight: 4, arbitrary: of('flush') },
  { weight: 2, arbitrary: of('beat') },
  { weight: 8, arbitrary: onTheWay('arrive') },
];
const broken: fc.MaybeWeightedArbitrary<Act> = { weight: 1, arbitrary: of('cut', 'connect', 'link') };
const anew: fc.MaybeWeightedArbitrary<Act> = { weight: 1, arbitrary: of('restart near', 'restart far') };

function perform(peers: Peers, one: Act): void {
  switch (one.act) {
    case 'publish':
      peers.publish(one.count);
      return;
    case 'forward':
      peers.forward(one.count);
      return;
    case 'flush':
      peers.flush();
      return;
    case 'beat':
      peers.beat();
      return;
    case 'connect':
      peers.connect();
      return;
    case 'link':
      peers.connect();
      peers.arriveAll();
      return;
    case 'cut':
      peers.cut();
      return;
    case 'restart near':
      peers.restartNear();
      return;
    case 'restart far':
      peers.restartFar();
      return;
    case 'arrive':
      peers.arrive(one.where);
      return;
  }
  const frames = one.where === 'near' ? peers.toNear : peers.toFar;
  const [first, second] = frames;
  if (first === undefined) return;
  if (one.act === 'lose') frames.shift();
  else if (one.act === 'repeat') frames.unshift(first);
  else if (second !== undefined) frames.splice(0, 2, second, first);
}

/** Links the two, until nothing is on its way and each has heard how far the other one is. */
function settle(t: ExecutionContext, peers: Peers): void {
  peers.connect();
  peers.arriveAll();
  t.is(peers.received?.lost, peers.outbox.lost, 'the handshake tells both');
  for (let last = -1; last !== peers.outbox.settled; ) {
    last = peers.outbox.settled;
    peers.flush();
    peers.arriveAll();
  }
  for (let round = 0; round < 2; round++) {
    peers.beat();
    peers.arriveAll();
  }
}

test('whatever is lost, late, repeated or cut off: none twice, in order, and both ends count the same losses', (t) => {
  const acts = fc.oneof(...traffic, broken, anew, {
    weight: 2,
    arbitrary: onTheWay('lose', 'repeat', 'be late'),
  });
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 80, size: 'max' }), (script) => {
      const peers = new Peers();
      peers.connect();
      peers.arriveAll();
      for (const one of script) perform(peers, one);
      settle(t, peers);
      t.true(peers.isLinked, 'a new connection is linked, whatever was before');
      const { came, outbox, received } = peers;
      t.deepEqual(
        came,
        [...new Set(came)].sort((a, b) => a - b),
      );
      t.is(received?.last, outbox.last);
      t.is(received?.received, peers.base + came.length);
      t.is(received?.lost, outbox.lost, 'last - received');
      t.is(peers.base + came.length + outbox.lost, outbox.last, 'each has come, or is lost');
      t.is(peers.confirmed, peers.taken);
    }),
    { numRuns: 500 },
  );
});

test('connections that only break end for no other reason, and lose only what was dropped or on its way', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...traffic, broken, anew), { maxLength: 80, size: 'max' }), (script) => {
      const peers = new Peers();
      for (const one of script) perform(peers, one);
      settle(t, peers);
      t.deepEqual(peers.ends, []);
      const { came, outbox, base } = peers;
      t.is(base + came.length + outbox.lost, outbox.last);
    }),
  );
});

test('a frame of messages that comes twice ends the link, and publishes nothing', (t) => {
  fc.assert(
    fc.property(fc.array(count, { minLength: 1, maxLength: 5 }), fc.nat(), (counts, which) => {
      const peers = new Peers();
      peers.connect();
      peers.arriveAll();
      for (const one of counts) {
        peers.publish(one);
        peers.flush();
      }
      const again = peers.toNear[which % peers.toNear.length] as Buffer;
      peers.arriveAll();
      const before = [...peers.came];
      peers.toNear.push(again);
      peers.arriveAll();
      t.deepEqual(peers.ends, ['a number came twice']);
      t.deepEqual(peers.came, before);
    }),
  );
});

test('what is forwarded has been taken, or is lost, as soon as the two are linked again', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...traffic, broken), { maxLength: 80, size: 'max' }), (script) => {
      const peers = new Peers();
      let [sent, lost] = [0, 0];
      const forwarded = new ForwardedCounts(
        (count) => {
          lost += count;
        },
        () => undefined,
      );
      const relink = () => {
        if (!peers.isLinked) return;
        forwarded.linked({ node: 'far', incarnation: 'f1' }, peers.confirmed);
      };
      let linked = false;
      for (const one of [...script, { act: 'connect' } as const]) {
        if (one.act === 'forward' && peers.isLinked) {
          sent += one.count;
          forwarded.sent('far', underway(one.count));
        }
        perform(peers, one);
        if (peers.isLinked && !linked) relink();
        else if (peers.isLinked && one.act === 'arrive') forwarded.confirmed('far', peers.confirmed);
        linked = peers.isLinked;
      }
      peers.arriveAll();
      relink();
      t.is(sent, peers.taken + lost);
    }),
    { numRuns: 300 },
  );
});
