import test from 'ava';
import fc from 'fast-check';
import { dealt, planOf } from '../../../src/command/bench/plan.ts';

const usual = { run: 'r', size: 128, prefix: 'bench.', rate: null };

test('publishers and subscribers share the channels evenly', (t) => {
  const plan = planOf({ ...usual, publishers: 4, subscribers: 6, channels: 2 });
  const channels = (streams: readonly { readonly channel: string }[]) =>
    streams.map(({ channel }) => channel);
  t.deepEqual(
    plan.senders.map(({ streams }) => channels(streams)),
    [['bench.0'], ['bench.1'], ['bench.0'], ['bench.1']],
  );
  t.deepEqual(
    plan.receivers.map(({ streams }) => streams.map(({ id }) => id)),
    [
      [0, 2],
      [1, 3],
      [0, 2],
      [1, 3],
      [0, 2],
      [1, 3],
    ],
  );
});

test('fewer publishers than channels have several each, and share the rate', (t) => {
  const { senders } = planOf({ ...usual, rate: 1000, publishers: 2, subscribers: 1, channels: 5 });
  t.deepEqual(
    senders.map(({ streams }) => streams.map(({ channel }) => channel)),
    [
      ['bench.0', 'bench.2', 'bench.4'],
      ['bench.1', 'bench.3'],
    ],
  );
  t.deepEqual(
    senders.map(({ rate, share }) => [rate, share]),
    [
      [500, 0],
      [500, 0.5],
    ],
  );
});

test('one channel has as many publishers as are asked for', (t) => {
  const { receivers } = planOf({ ...usual, publishers: 200_000, subscribers: 1, channels: 1 });
  t.is(receivers[0]?.streams.length, 200_000);
});

test('every stream is heard by every subscriber of its channel, however the plan is dealt out', (t) => {
  const count = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(count, count, count, count, (publishers, subscribers, channels, processes) => {
      const plan = planOf({ ...usual, publishers, subscribers, channels });
      const parts = dealt(plan, processes);
      const senders = parts.flatMap((part) => part.senders);
      const receivers = parts.flatMap((part) => part.receivers);
      const streams = senders.flatMap((sender) => sender.streams);
      const heard = new Set(receivers.flatMap((one) => one.streams.map(({ id }) => id)));
      return (
        senders.length === publishers &&
        receivers.length === subscribers &&
        new Set(streams.map(({ id }) => id)).size === streams.length &&
        new Set(streams.map(({ channel }) => channel)).size === channels &&
        streams.every(({ id }) => heard.has(id)) &&
        receivers.every((one) =>
          one.streams.every(({ channel }) =>
            streams
              .filter((stream) => stream.channel === channel)
              .every((stream) => one.streams.includes(stream)),
          ),
        )
      );
    }),
  );
  t.pass();
});

test('two processes have something to do each, more than there are connections have not', (t) => {
  const plan = planOf({ ...usual, publishers: 1, subscribers: 1, channels: 1 });
  t.deepEqual(
    dealt(plan, 2).map(({ senders, receivers }) => [senders.length, receivers.length]),
    [
      [0, 1],
      [1, 0],
    ],
  );
  t.is(dealt(plan, 3).length, 2);
});
