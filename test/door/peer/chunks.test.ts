import test from 'ava';
import fc from 'fast-check';
import { claimsFrames, encodePeerFrame, interestFrames } from '../../../src/door/peer/codec.ts';

const topics = (label: string) =>
  fc
    .array(fc.tuple(fc.nat({ max: 20_000 }), fc.nat()), { maxLength: 12 })
    .map((list) =>
      list.map(([length, id]) => ({ realm: 'main', name: `${label}${id}${'x'.repeat(length)}` })),
    );

test('what is told in pieces is all of it, in order, and only the last piece has the version', (t) => {
  fc.assert(
    fc.property(topics('a'), topics('d'), fc.boolean(), (add, drop, all) => {
      const frames = interestFrames({ version: 7, all, add, drop });
      t.deepEqual(
        frames.flatMap((frame) => frame.add),
        add,
      );
      t.deepEqual(
        frames.flatMap((frame) => frame.drop),
        drop,
      );
      t.deepEqual(
        frames.map(({ version }) => version),
        [...frames.slice(1).map(() => 0), 7],
      );
      t.deepEqual(
        frames.map(({ begin }) => begin),
        frames.map((_, index) => all && index === 0),
      );
      t.deepEqual(
        frames.map(({ end }) => end),
        frames.map((_, index) => all && index === frames.length - 1),
      );
      for (const frame of frames) t.true(encodePeerFrame(frame).length < 128 * 1024);
    }),
    { numRuns: 50 },
  );
});

test('nothing at all is one frame', (t) => {
  t.is(interestFrames({ version: 0, all: true, add: [], drop: [] }).length, 1);
  t.is(claimsFrames({ ref: 0, all: true, claims: [] }).length, 1);
});
