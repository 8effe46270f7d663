import test from 'ava';
import { HistorySearch } from '../../src/attach/client/history-search.ts';

const R = '\u0012';
const S = '\u0013';
const search = () => new HistorySearch(['topics()', 'top({n: 3})', 'peers()', 'topics({n: 1})']);

test('what is typed is found in the newest line, and further keys narrow it', (t) => {
  const found = search();
  t.deepEqual(found.keys('top'), { type: 'goes on' });
  t.is(found.line, 'topics()');
  found.keys('(');
  t.is(found.line, 'top({n: 3})');
  found.keys('\u007f');
  t.is(found.line, 'topics()');
  t.is(found.shown(80), "(reverse-i-search)'top': topics()");
});

test('the key of the search goes on to older lines, and its counterpart back', (t) => {
  const found = search();
  found.keys(`topics${R}`);
  t.is(found.line, 'topics({n: 1})');
  found.keys(R);
  t.is(found.shown(80), "(failed reverse-i-search)'topics': topics({n: 1})");
  found.keys(S);
  t.is(found.line, 'topics()');
});

test('what is not there fails, and what was found before stays', (t) => {
  const found = search();
  found.keys('peersx');
  t.is(found.shown(80), "(failed reverse-i-search)'peersx': peers()");
  found.keys('\u007f');
  t.is(found.shown(80), "(reverse-i-search)'peers': peers()");
});

test('enter takes the line, an arrow edits it, and what was typed behind is not lost', (t) => {
  t.deepEqual(search().keys('pe\rx'), { type: 'taken', line: 'peers()', rest: '\rx' });
  t.deepEqual(search().keys('pe\u001b[D'), { type: 'taken', line: 'peers()', rest: '\u001b[D' });
  t.deepEqual(search().keys('pe\u001b'), { type: 'taken', line: 'peers()', rest: '' });
  for (const key of ['\u0003', '\u0007'])
    t.deepEqual(search().keys(`pe${key}a`), { type: 'given up', rest: 'a' });
});

test('nothing wanted finds nothing, and no text is wider than the terminal', (t) => {
  const found = search();
  found.keys(`${R}x\u007f\u007f`);
  t.is(found.line, '');
  t.is(found.shown(80), "(reverse-i-search)'': ");
  const long = new HistorySearch(['x'.repeat(200)]);
  long.keys('x');
  t.is([...long.shown(80)].length, 79);
});
