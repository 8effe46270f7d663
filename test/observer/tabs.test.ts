import test from 'ava';
import { operations } from '../../src/attach/operations.ts';
import { lists } from '../../src/command/top/lists.ts';
import { shownTabs } from '../../src/observer/tabs.ts';

/** What fields that many lists have are called. */
const WORDS: Readonly<Record<string, string>> = { lag: 'lag', roundTrip: 'round trip' };

test('a number has one name, on the page and in the terminal alike', (t) => {
  const heads = Object.values(shownTabs).flatMap(({ columns }) =>
    columns.flatMap(({ field, head }) => (field in WORDS ? [{ field, head: head.toLowerCase() }] : [])),
  );
  t.is(heads.length, 5);
  for (const { field, head } of heads) t.is(WORDS[field], head);
  const titles = new Set(Object.values(lists).flatMap(({ columns }) => columns.map(({ title }) => title)));
  const relay = {
    ...{ node: 'a', own: true, state: 'ready', why: null, heard: null, troubles: [], links: [] },
    ...{ in: 0, out: 0, connections: 0, loopDelay: 0, busy: 0, lag: 1, roundTrip: 1, uptime: 1, version: '' },
  };
  const network = String(operations.byName.get('network')?.show([relay, relay], 300));
  for (const word of Object.values(WORDS)) {
    t.true(titles.has(word), word);
    t.regex(network, new RegExp(`  ${word}  `));
  }
});
