import test from 'ava';
import fc from 'fast-check';
import {
  allows,
  everything,
  fromPatterns,
  intersection,
  isEmpty,
  isPermissions,
  isWithin,
  none,
  ofPrefix,
  onPatterns,
  type Permissions,
  parsePattern,
  type Right,
  type Rights,
  readAndWrite,
  readEverything,
  readOnly,
  restrict,
  union,
  writeOnly,
} from '../../src/authenticator/permissions.ts';

type Grants = readonly (readonly [pattern: string, rights: Rights])[];

const RIGHTS: readonly Right[] = ['read', 'write'];

/** The rules in the plainest words: what a pattern means, and that any grant suffices. */
function matches(pattern: string, topic: string): boolean {
  return pattern.endsWith('*') ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern;
}

function granted(grants: Grants, right: Right, topic: string): boolean {
  return grants.some(([pattern, rights]) => rights[right] && matches(pattern, topic));
}

// Few letters, so that names are often prefixes of each other; and names that every object has.
const name = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é', '🔑'), maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '__pro', 'toString', 'a/b') },
);
const pattern = fc.oneof(
  name.filter((text) => text !== ''),
  name.map((text) => `${text}*`),
);
const rights = fc.record({ read: fc.boolean(), write: fc.boolean() });
const grants = fc.array(fc.tuple(pattern, rights), { maxLength: 6 });
const topics = fc.array(fc.oneof(name, pattern), { minLength: 1, maxLength: 20 });

/** Topics made up, and those that the patterns themselves are about: the edges of each. */
function withEdges(made: readonly string[], patterns: readonly string[]): string[] {
  const edges = patterns.flatMap((text) => {
    const stem = text.replace('*', '');
    return [text, stem, `${stem}a`, `${stem}.`, stem.slice(0, -1), `a${stem}`];
  });
  return [...made, ...edges];
}

function sameRights(permissions: Permissions, expected: (right: Right, topic: string) => boolean) {
  return (topic: string) =>
    RIGHTS.every((right) => allows(permissions, right, topic) === expected(right, topic));
}

test('permissions allow what a grant allows, and nothing else', (t) => {
  fc.assert(
    fc.property(grants, topics, (a, made) =>
      withEdges(
        made,
        a.map(([text]) => text),
      ).every(sameRights(fromPatterns(a), (right, topic) => granted(a, right, topic))),
    ),
  );
  t.pass();
});

test('a union allows what one of the two allows', (t) => {
  fc.assert(
    fc.property(grants, grants, topics, (a, b, made) =>
      withEdges(
        made,
        [...a, ...b].map(([text]) => text),
      ).every(
        sameRights(
          union(fromPatterns(a), fromPatterns(b)),
          (right, topic) => granted(a, right, topic) || granted(b, right, topic),
        ),
      ),
    ),
  );
  t.pass();
});

test('an intersection allows what both allow', (t) => {
  fc.assert(
    fc.property(grants, grants, topics, (a, b, made) =>
      withEdges(
        made,
        [...a, ...b].map(([text]) => text),
      ).every(
        sameRights(
          intersection(fromPatterns(a), fromPatterns(b)),
          (right, topic) => granted(a, right, topic) && granted(b, right, topic),
        ),
      ),
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('restricted permissions allow what they did on the topics that a pattern matches', (t) => {
  fc.assert(
    fc.property(grants, fc.array(pattern, { maxLength: 5 }), topics, (a, patterns, made) =>
      withEdges(made, [...a.map(([text]) => text), ...patterns]).every(
        sameRights(
          restrict(fromPatterns(a), patterns),
          (right, topic) => granted(a, right, topic) && patterns.some((each) => matches(each, topic)),
        ),
      ),
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('permissions are empty exactly when no grant has a right', (t) => {
  fc.assert(
    fc.property(
      grants,
      (a) => isEmpty(fromPatterns(a)) === a.every(([, { read, write }]) => !read && !write),
    ),
  );
  t.true(isEmpty(none));
  t.true(isEmpty({ ...none, exact: new Map([['a', { read: false, write: false }]]) }));
  for (const some of [everything, readEverything, onPatterns(['a'], readOnly), ofPrefix('a', writeOnly)])
    t.false(isEmpty(some));
});

test('no operation changes its operands', (t) => {
  fc.assert(
    fc.property(grants, grants, (a, b) => {
      const [left, right] = [fromPatterns(a), fromPatterns(b)];
      const before = structuredClone([left, right]);
      union(left, right);
      intersection(left, right);
      restrict(left, ['a*']);
      t.deepEqual([left, right], before);
    }),
  );
});

test('an intersection has no more entries than its operands have together', (t) => {
  fc.assert(
    fc.property(grants, grants, (a, b) => {
      const { exact, prefixes } = intersection(fromPatterns(a), fromPatterns(b));
      return exact.size + prefixes.size <= a.length + b.length;
    }),
  );
  t.pass();
});

test('a pattern without * is one topic and not the beginning of others', (t) => {
  const permissions = onPatterns(['user.1'], readAndWrite);
  t.true(allows(permissions, 'read', 'user.1'));
  for (const other of ['user.12', 'user.1.', 'user.', 'USER.1', '', ' user.1'])
    t.false(allows(permissions, 'read', other), other);
});

test('restricting picks the narrower of two patterns that meet', (t) => {
  const cases: [string, string, string | null][] = [
    ['*', 'a*', 'a*'],
    ['a*', '*', 'a*'],
    ['user.*', 'user.1*', 'user.1*'],
    ['user.1*', 'user.*', 'user.1*'],
    ['user.1', 'user.*', 'user.1'],
    ['user.*', 'user.1', 'user.1'],
    ['user.1', 'user.1', 'user.1'],
    ['user.*', 'chat.*', null],
    ['user', 'user.*', null],
    ['user.1', 'user.2', null],
    ['*', '*', '*'],
  ];
  for (const [a, b, both] of cases) {
    const expected = onPatterns(both === null ? [] : [both], readOnly);
    t.deepEqual(restrict(onPatterns([a], readOnly), [b]), expected, `${a} within ${b}`);
  }
  t.deepEqual(restrict(everything, []), none);
});

test('names that every object has are topics like others', (t) => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'size'];
  for (const topic of names) {
    t.false(allows(none, 'read', topic));
    t.false(allows(onPatterns(['a', 'b*'], readAndWrite), 'write', topic));
    const one = union(onPatterns([topic], readOnly), onPatterns(['a'], writeOnly));
    for (const other of names) t.is(allows(one, 'read', other), other === topic);
    t.false(allows(one, 'write', topic));
  }
});

test('a pattern is *, a prefix and a *, or a name', (t) => {
  t.deepEqual(parsePattern('*'), { kind: 'prefix', text: '' });
  t.deepEqual(parsePattern('user.*'), { kind: 'prefix', text: 'user.' });
  t.deepEqual(parsePattern('user.1'), { kind: 'exact', text: 'user.1' });
  for (const wrong of ['', '**', '*a', 'a*b', 'a**']) {
    t.is(parsePattern(wrong), undefined, wrong);
    t.throws(() => fromPatterns([[wrong, readOnly]]), { instanceOf: RangeError }, wrong);
  }
});

test('patterns come as a map or as a list, and repeated ones add up', (t) => {
  const both = fromPatterns([
    ['a', readOnly],
    ['a', writeOnly],
  ]);
  t.deepEqual(both, fromPatterns(new Map([['a', readAndWrite]])));
});

test('a prefix that is not given as a pattern is taken letter by letter', (t) => {
  const star = ofPrefix('*/', writeOnly);
  t.true(allows(star, 'write', '*/a'));
  for (const other of ['a/', 'a/b', '/', '*']) t.false(allows(star, 'write', other), other);
});

test('the right to everything, by whatever way it was had, is read off at once', (t) => {
  const read = onPatterns(['*', 'a', 'b*'], readOnly);
  t.deepEqual(read, readEverything);
  t.deepEqual(union(read, onPatterns(['*'], writeOnly)), everything);
  t.deepEqual(union(everything, onPatterns(['a'], readAndWrite)), everything);
});

test('only what has the shape of permissions is taken for them', (t) => {
  for (const good of [none, everything, onPatterns(['a', 'b*'], readOnly)]) t.true(isPermissions(good));
  const bad: unknown[] = [
    undefined,
    null,
    true,
    '*',
    {},
    [],
    new Map(),
    { ...none, all: undefined },
    { ...none, all: { read: true } },
    { ...none, all: { read: 1, write: 0 } },
    { ...none, exact: {} },
    { ...none, prefixes: [['a', readOnly]] },
    { ...none, exact: new Map([[1, readOnly]]) },
    { ...none, exact: new Map([['a', 'rw']]) },
    { ...none, prefixes: new Map([['a', { read: 'yes', write: false }]]) },
  ];
  for (const value of bad) t.false(isPermissions(value));
});

test('one is within another when it allows nothing that the other does not', (t) => {
  fc.assert(
    fc.property(grants, grants, topics, (a, b, made) => {
      const patterns = [...a, ...b].map(([text]) => text);
      // A letter that is in no pattern: what holds for it there holds for all that a pattern alone allows.
      const beyond = patterns.map((text) => `${text.replace('*', '')}☃`);
      const all = [...withEdges(made, patterns), ...beyond, '☃'];
      const isWithinAll = RIGHTS.every((right) =>
        all.every((topic) => !granted(a, right, topic) || granted(b, right, topic)),
      );
      t.is(isWithin(fromPatterns(a), fromPatterns(b)), isWithinAll);
    }),
  );
});
