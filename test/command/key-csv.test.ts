import test from 'ava';
import fc from 'fast-check';
import { parseKeyCsv } from '../../src/command/key-csv.ts';

const faults = (text: string) => {
  const result = parseKeyCsv(text);
  return result.ok ? [] : result.faults;
};

test('an export of the table is read, without its inactive rows', (t) => {
  const text = `id,domain,username,apikey,insert_ts,active
1,example.com,"Ada, ""the"" first",0a3c1d6e,2020-01-01 00:00:00.123,t
2,dead.example.com,bob,dead,2020-01-01 00:00:00,f
3,example.org,,key 3,2020-01-01 00:00:00,t
`;
  t.deepEqual(parseKeyCsv(text), {
    ok: true,
    keys: [
      { domain: 'example.com', username: 'Ada, "the" first', key: '0a3c1d6e' },
      { domain: 'example.org', username: null, key: 'key 3' },
    ],
    inactive: 1,
  });
});

test('two columns are enough, in any order, with any ends of lines', (t) => {
  const keys = [{ domain: 'a', username: null, key: 'k' }];
  for (const text of ['apikey,domain\nk,a', 'Domain,APIKEY\r\na,k\r\n', '\uFEFFdomain,apikey\n\na,k\n\n']) {
    t.deepEqual(parseKeyCsv(text), { ok: true, keys, inactive: 0 });
  }
});

test('every fault is told with its line, and none with the key', (t) => {
  const long = 'k'.repeat(37);
  const text = `domain,apikey,username,active
a/b,hunter2,u,t
a,${long},u,t
a,hunter2/x,u,t
b,hunter2,u,perhaps
c,hunter2
"d
d",hunter2x,u,t
e,same,u,t
e,other,u,t
f,same,u,t
g,   ,u,t
`;
  t.deepEqual(faults(text), [
    'line 2: a domain of at most 64 characters without a slash',
    'line 3: a key of at most 36 characters without a slash',
    'line 4: a key of at most 36 characters without a slash',
    'line 5: true or false as active',
    'line 6: 4 values',
    'line 7: a domain of at most 64 characters without a slash',
    'line 10: each domain once',
    'line 11: each key once',
    'line 12: a key of at most 36 characters without a slash',
  ]);
  t.deepEqual(faults('a,b\n'), ['a first line that names the columns, domain and apikey among them']);
  t.deepEqual(faults(''), ['a first line that names the columns, domain and apikey among them']);
  t.deepEqual(faults('domain,apikey\n"a"b,k\n'), ['a quote at both ends of a value, or at neither']);
  t.deepEqual(faults('domain,apikey\n"a,k\n'), ['a quote at both ends of a value, or at neither']);
});

test('keys and names at the limit are taken', (t) => {
  const text = `domain,apikey,username\n${'é'.repeat(64)},${'é'.repeat(36)},${'é'.repeat(254)}\n`;
  t.true(parseKeyCsv(text).ok);
  t.is(faults(text.replace('\né', '\néé')).length, 1);
  t.is(faults(text.replace(',é', ',éé')).length, 1);
  t.is(faults(text.replace('é\n', 'éé\n')).length, 1);
});

test('what a spreadsheet writes is read back', (t) => {
  const cell = fc
    .string({ unit: fc.constantFrom('a', '"', ',', ' ', 'é', '-'), minLength: 1, maxLength: 8 })
    .filter((text) => text.trim() !== '');
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.uniqueArray(cell, { maxLength: 6 }), (cells) => {
      const text = `domain,apikey\n${cells.map((each) => `${quoted(each)},${quoted(each)}\n`).join('')}`;
      const result = parseKeyCsv(text);
      return result.ok && result.keys.every(({ key }, index) => key === cells[index]);
    }),
  );
  t.pass();
});
