import test from 'ava';
import { csvIn, everyPage } from '../../src/attach/client/listing.ts';

/** A node with so many rows, and what it was asked. */
function node(count: number) {
  const asked: unknown[] = [];
  const call = (name: string, args: readonly unknown[]) => {
    asked.push([name, ...args]);
    const { n, offset } = args.at(-1) as { n: number; offset: number };
    const rows = Array.from({ length: Math.max(0, Math.min(n, count - offset)) }, (_, i) => ({
      i: offset + i,
    }));
    return Promise.resolve({ ok: true, text: JSON.stringify({ total: count, rows }) });
  };
  return { asked, call };
}

test('all pages are asked for, one after the other, until all rows are there', async (t) => {
  for (const [count, pages] of [
    [0, 1],
    [1000, 1],
    [1001, 2],
    [2500, 3],
  ] as const) {
    const { asked, call } = node(count);
    const { ok, text } = await everyPage({ call }, 'topics', []);
    t.true(ok);
    const all = JSON.parse(text) as { total: number; rows: { i: number }[] };
    t.is(all.total, count);
    t.deepEqual(
      all.rows.map(({ i }) => i),
      Array.from({ length: count }, (_, i) => i),
    );
    t.is(asked.length, pages);
  }
});

test('what is asked for beside the page stays', async (t) => {
  const { asked, call } = node(1);
  await everyPage({ call }, 'topics', [{ by: 'name', n: 3, offset: 7 }]);
  await everyPage({ call }, 'members', ['topic:main:a']);
  t.deepEqual(asked, [
    ['topics', { by: 'name', n: 1000, offset: 0 }],
    ['members', 'topic:main:a', { n: 1000, offset: 0 }],
  ]);
});

test('a list that shrinks meanwhile ends, and what has no pages says so', async (t) => {
  const shrinking = { call: () => Promise.resolve({ ok: true, text: '{"total":9,"rows":[]}' }) };
  t.deepEqual(await everyPage(shrinking, 'topics', []), { ok: true, text: '{"total":0,"rows":[]}' });
  for (const text of ['[]', '"none"', '{"pid":1}', 'null']) {
    const other = { call: () => Promise.resolve({ ok: true, text }) };
    t.deepEqual(await everyPage(other, 'tree', []), { ok: false, text: 'tree has no pages' });
  }
  const refusing = { call: () => Promise.resolve({ ok: false, text: 'no' }) };
  t.deepEqual(await everyPage(refusing, 'topics', []), { ok: false, text: 'no' });
});

test('rows are lines of CSV: times as ISO 8601, names in one cell, and no formula', (t) => {
  const rows = [
    { at: 1795890187370, who: '=1+1', topics: ['a', 'b,c'] },
    { at: null, door: 'pusu', deep: { a: 1 } },
  ];
  t.is(
    csvIn(JSON.stringify({ total: 2, rows }))?.text,
    'at,who,topics,door,deep\r\n2026-11-28T18:23:07.370Z,\'=1+1,"a; b,c",,\r\n,,,pusu,"{""a"":1}"',
  );
  t.is(csvIn('[{"at":0.3}]')?.text, 'at\r\n0.3');
  t.is(csvIn('"none"'), null);
  t.is(csvIn('{"pid":1}'), null);
  t.is(csvIn('[{"id":1,"children":[{"id":2,"children":[]}]}]'), null, 'a tree');
  t.deepEqual(csvIn('[{"node":"a","links":[]},{"node":"b","links":[{"peer":"a"}]}]'), {
    text: 'node\r\na\r\nb',
    leftOut: ['links'],
  });
});
