import test from 'ava';
import {
  MOST_LINKS,
  NO_VITALS,
  VITALS_LENGTH,
  type Vitals,
  vitalsIn,
  vitalsText,
} from '../../src/measure/vitals.ts';

const link = { peer: 'b', up: true, roundTrip: 0.4, lag: 0, lost: 3 };
const vitals: Vitals = { ...NO_VITALS, version: '1.2.3', phase: 'ready', uptime: 7, in: 0.5, links: [link] };

test('what a relay tells is read as it was told', (t) => {
  t.deepEqual(vitalsIn(vitalsText(vitals)), vitals);
});

test('fields of another release are left out, and fields that it does not tell are not known', (t) => {
  const told = { uptime: 7, moon: 'full', links: [{ peer: 'b', up: false, moon: 1 }] };
  t.deepEqual(vitalsIn(JSON.stringify(told)), {
    ...NO_VITALS,
    uptime: 7,
    links: [{ peer: 'b', up: false, roundTrip: null, lag: null, lost: null }],
  });
  t.deepEqual(vitalsIn('{}'), NO_VITALS);
});

test('what the system does not tell is not known to others either', (t) => {
  t.is(vitalsIn(vitalsText({ ...vitals, rss: Number.NaN }))?.rss, null);
});

test('nothing is told that nobody takes: numbers are brought within the limits, not the whole refused', (t) => {
  const below = { ...vitals, in: -59.7, heap: 2 ** 60, links: [{ ...link, roundTrip: -0.1 }] };
  t.like(vitalsIn(vitalsText(below)), {
    in: 0,
    uptime: 7,
    heap: Number.MAX_SAFE_INTEGER,
    links: [{ ...link, roundTrip: 0 }],
  });
  t.is(vitalsIn(vitalsText({ ...vitals, busy: Number.POSITIVE_INFINITY }))?.busy, null);
});

const bad: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a number', '7'],
  ['a list', '[]'],
  ['a number as text', '{"in":"7"}'],
  ['a negative number', '{"in":-1}'],
  ['a number without an end', '{"in":1e999}'],
  ['a number that cannot be counted with', '{"in":9007199254740992}'],
  ['a text as number', '{"version":1}'],
  ['a text of 257 characters', `{"version":"${'v'.repeat(257)}"}`],
  ['links that are no list', '{"links":{}}'],
  ['a link that is none', '{"links":[null]}'],
  ['a link without a name', '{"links":[{"up":true}]}'],
  ['a link with an empty name', '{"links":[{"peer":"","up":true}]}'],
  ['a link that is neither up nor down', '{"links":[{"peer":"b"}]}'],
  ['a link with a bad number', '{"links":[{"peer":"b","up":true,"lag":"1"}]}'],
  ['too many links', JSON.stringify({ links: Array(MOST_LINKS + 1).fill(link) })],
];

for (const [what, text] of bad)
  test(`${what}: nobody takes that for numbers`, (t) => {
    t.is(vitalsIn(text), null);
  });

test('at the limits it is taken', (t) => {
  t.is(vitalsIn(`{"version":"${'v'.repeat(256)}"}`)?.version?.length, 256);
  t.is(vitalsIn('{"in":9007199254740991}')?.in, Number.MAX_SAFE_INTEGER);
  const padded = (length: number) => `{}${' '.repeat(length - 2)}`;
  t.deepEqual(vitalsIn(padded(VITALS_LENGTH)), NO_VITALS);
  t.is(vitalsIn(padded(VITALS_LENGTH + 1)), null);
});

test('of very many links with the longest names only so many are told, so that it is never too long', (t) => {
  const links = Array.from({ length: MOST_LINKS + 1 }, () => ({
    peer: 'n'.repeat(255),
    up: true,
    roundTrip: 123_456.7,
    lag: 123_456.7,
    lost: Number.MAX_SAFE_INTEGER,
  }));
  t.is(vitalsIn(vitalsText({ ...vitals, links }))?.links.length, MOST_LINKS);
});
