import test from 'ava';
import fc from 'fast-check';
import type { Terms } from '../../src/authenticator/authorisation.ts';
import { allows, none, onPatterns, type Permissions } from '../../src/authenticator/permissions.ts';
import { CREDENTIALS } from '../../src/authenticator/standing.ts';
import { Rights } from '../../src/connection/rights.ts';

const TOPICS = ['a', 'b', 'c'] as const;

function reading(...topics: string[]): Permissions {
  return topics.length === 0 ? none : onPatterns(topics, { read: true, write: false });
}

function terms(lasts: number | null, grace = 0): Terms {
  return { subject: null, lasts, grace, topic: null };
}

function readable({ permissions }: Rights): string {
  return TOPICS.filter((topic) => allows(permissions, 'read', topic)).join('');
}

test('what one credential loses another one may still give', (t) => {
  const rights = new Rights(none);
  rights.grant({ ref: 1, permissions: reading('a', 'b'), terms: terms(null) }, none, 0);
  rights.grant({ ref: 2, permissions: reading('b', 'c'), terms: terms(null) }, none, 0);
  rights.revoke(1);
  t.is(readable(rights), 'bc');
  rights.grant({ ref: 2, permissions: reading('c'), terms: terms(null) }, none, 0);
  t.is(readable(rights), 'c');
});

test('what holds for good does not end', (t) => {
  const rights = new Rights(reading('a'));
  rights.grant({ ref: 1, permissions: reading('b'), terms: terms(100) }, reading('a'), 0);
  t.is(rights.expire(1e9), 100);
  t.is(readable(rights), 'a');
});

test('what expires goes at its time and not before, and its grace is counted from then', (t) => {
  const rights = new Rights(none);
  rights.grant({ ref: 1, permissions: reading('a'), terms: terms(100, 50) }, none, 0);
  rights.grant({ ref: 2, permissions: reading('b'), terms: terms(300) }, none, 0);
  t.is(rights.expiry, 100);
  t.is(rights.expire(99), null);
  t.is(rights.expire(100), 150);
  t.is(readable(rights), 'b');
  t.is(rights.expiry, 300);
  t.is(rights.expire(300), 300);
  t.is(rights.expiry, null);
});

test('what everybody has goes when everybody loses it, whatever a credential says of it', (t) => {
  const rights = new Rights(reading('a'));
  rights.grant({ ref: 1, permissions: reading('a'), terms: terms(null) }, reading('a'), 0);
  rights.settle(none);
  t.is(readable(rights), '');
});

test('a topic that was left is joined again once, when it may be read', (t) => {
  const rights = new Rights(none);
  for (const topic of ['a', 'b', 'c']) rights.suspend(topic);
  rights.forget('c');
  rights.grant({ ref: 1, permissions: reading('a', 'c'), terms: terms(null) }, none, 0);
  t.deepEqual(rights.restored(), ['a']);
  t.deepEqual(rights.restored(), []);
  t.true(rights.suspends, 'b');
});

test('a review is over when each credential has been judged, and a later one is another', (t) => {
  const rights = new Rights(none);
  for (const ref of [1, 2]) rights.grant({ ref, permissions: reading('a'), terms: terms(null) }, none, 0);
  t.is(rights.confirm(1), 'none');
  const first = rights.review();
  t.true(rights.isReviewing());
  t.is(rights.confirm(1), 'more');
  t.is(rights.confirm(1), 'none');
  const second = rights.review();
  t.false(rights.isReviewing(first));
  t.true(rights.isReviewing(second));
  t.is(rights.confirm(1), 'more');
  t.is(rights.confirm(2), 'all');
  rights.settle(none);
  t.false(rights.isReviewing(second));
});

test('a new timer takes the place of the one before', (t) => {
  const rights = new Rights(none);
  const cancelled: string[] = [];
  const timer = (name: string) => ({ cancel: () => cancelled.push(name) });
  rights.expireBy(timer('expiry 1'));
  rights.graceBy(timer('grace 1'));
  rights.expireBy(timer('expiry 2'));
  rights.graceBy(undefined);
  t.deepEqual(cancelled, ['expiry 1', 'grace 1']);
});

test('past the most credentials that are remembered the oldest one goes', (t) => {
  const rights = new Rights(none);
  for (let ref = 0; ref <= CREDENTIALS; ref++)
    rights.grant({ ref, permissions: reading(ref === 0 ? 'a' : 'b'), terms: terms(null) }, none, 0);
  t.is(rights.held, CREDENTIALS);
  t.is(readable(rights), 'b');
});

const change = fc.record({
  do: fc.constantFrom('grant' as const, 'for good' as const, 'revoke' as const, 'pass' as const),
  ref: fc.nat(5),
  topics: fc.subarray([...TOPICS]),
  time: fc.integer({ min: 1, max: 100 }),
});

test('at any time a connection may do what holds for good and what its living credentials give, and nothing else', (t) => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const rights = new Rights(none);
      const living = new Map<number, { readonly topics: string[]; readonly until: number }>();
      let forGood = new Set<string>();
      let now = 0;
      for (const { do: what, ref, topics, time } of changes) {
        if (what === 'grant') {
          rights.grant({ ref, permissions: reading(...topics), terms: terms(time) }, none, now);
          living.set(ref, { topics, until: now + time });
        } else if (what === 'for good') {
          rights.settle(reading(...topics));
          forGood = new Set(topics);
        } else if (what === 'revoke') {
          rights.revoke(ref);
          living.delete(ref);
        } else {
          now += time;
          rights.expire(now);
          for (const [each, { until }] of living) if (until <= now) living.delete(each);
        }
        const expected = TOPICS.filter(
          (topic) =>
            forGood.has(topic) || [...living.values()].some(({ topics: own }) => own.includes(topic)),
        );
        if (readable(rights) !== expected.join('')) return false;
        const next = Math.min(...Array.from(living.values(), ({ until }) => until));
        if ((rights.expiry ?? Number.POSITIVE_INFINITY) !== next) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
