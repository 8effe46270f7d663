import test from 'ava';
import { limitOf } from '../../../src/command/bench/limit.ts';

const calm = { asked: 1000, achieved: 1000, ownBusy: 0.2, relayBusy: 0.3, waiting: 0 };

test('a rate that was held is the limit itself', (t) => {
  t.regex(limitOf(calm), /^the rate that was asked for: .*relay 30 % busy, this command 20 % busy/);
  t.regex(limitOf({ ...calm, achieved: 990 }), /^the rate/);
});

test('where the rate was not held, whatever is busiest is named', (t) => {
  const short = { ...calm, achieved: 989 };
  t.regex(limitOf({ ...short, relayBusy: 0.95, ownBusy: 0.92 }), /^the relay: its event loop was 95 % busy/);
  t.regex(limitOf({ ...short, relayBusy: 0.92, ownBusy: 0.99 }), /^this command: .*99 % busy; --procs/);
  t.regex(limitOf({ ...short, relayBusy: null, ownBusy: 0.9 }), /^this command/);
  t.regex(limitOf({ ...short, waiting: 0.5 }), /^the relay's answers/);
  t.regex(limitOf(short), /^none that is seen from here/);
});

test('as fast as it goes, there is no rate to hold', (t) => {
  t.regex(limitOf({ ...calm, asked: null, waiting: 0.9 }), /^the relay's answers/);
});

test('a relay that cannot be looked into is said to be one', (t) => {
  t.regex(limitOf({ ...calm, relayBusy: null }), /cannot be looked into/);
});
