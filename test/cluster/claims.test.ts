import test from 'ava';
import fc from 'fast-check';
import { type Claim, Claims, effective, mayClaim, wins } from '../../src/cluster/claims.ts';

const claim = (node: string, state: Claim['state'], since = 0, until = 0): Claim => ({
  node,
  state,
  since,
  grace: 10,
  until,
});

test('an owner beats who asks, the older claim the younger one, and the first name settles a tie', (t) => {
  t.true(wins(claim('b', 'owned', 9), claim('a', 'asked', 1)));
  t.true(wins(claim('b', 'owned', 1), claim('a', 'owned', 2)));
  t.true(wins(claim('a', 'owned', 1), claim('b', 'owned', 1)));
});

const live = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.constantFrom('asked' as const, 'owned' as const),
    fc.nat({ max: 3 }),
  )
  .map(([node, state, since]) => claim(node, state, since));
const several = fc.uniqueArray(live, { selector: ({ node }) => node, minLength: 2, maxLength: 4 });

test('of any claims at different relays exactly one beats all others: both sides of a heal agree', (t) => {
  fc.assert(
    fc.property(several, (claims) => {
      const winners = claims.filter((one) => claims.every((other) => one === other || wins(one, other)));
      t.is(winners.length, 1);
      for (const one of claims)
        for (const other of claims) if (one !== other) t.not(wins(one, other), wins(other, one));
    }),
  );
});

test('whichever order claims are heard in, the same one counts', (t) => {
  fc.assert(
    fc.property(several, fc.nat(), (claims, seed) => {
      const turned = claims.map((_, index) => claims[(index + seed) % claims.length] as Claim);
      t.is(effective(claims, 0)?.node, effective(turned, 0)?.node);
    }),
  );
});

test('a grace counts until its end, and an owner before any grace', (t) => {
  t.is(effective([claim('a', 'grace', 0, 5)], 4)?.node, 'a');
  t.is(effective([claim('a', 'grace', 0, 5)], 5), null);
  t.is(effective([claim('a', 'grace', 0, 5), claim('b', 'owned', 9)], 1)?.node, 'b');
  t.is(effective([claim('a', 'asked')], 0), null);
});

test('who asks may claim what nobody owns, what is in its grace, and what its own relay owns', (t) => {
  const asked = claim('b', 'asked', 5);
  t.true(mayClaim(asked, []));
  t.true(mayClaim(asked, [claim('a', 'grace', 0, 100)]));
  t.true(mayClaim(asked, [claim('b', 'owned', 0)]));
  t.false(mayClaim(asked, [claim('a', 'owned', 9)]));
  t.false(mayClaim(asked, [claim('a', 'asked', 4)]));
  t.true(mayClaim(asked, [claim('a', 'asked', 6)]));
});

const topic = { realm: 'main', name: 't' };

test('what a topic is told of its owner elsewhere is told once, and a topic that nobody claims is forgotten', (t) => {
  const claims = new Claims('b');
  claims.put(topic, claim('a', 'owned'));
  t.is(claims.news(topic, 0), 'owned');
  t.is(claims.news(topic, 0), null);
  claims.put(topic, claim('a', 'grace', 0, 5));
  t.is(claims.news(topic, 4), 'grace');
  claims.remove(topic, 'a');
  t.is(claims.news(topic, 4), 'none');
  t.deepEqual([...claims.topics], []);
  t.is(claims.news(topic, 4), null);
});

test('an owner ends every grace, and what is owned here is owned by nobody elsewhere', (t) => {
  const claims = new Claims('b');
  claims.put(topic, claim('a', 'grace', 0, 50));
  t.is(claims.ownership(topic, 49), 'grace');
  claims.put(topic, claim('c', 'owned'));
  t.deepEqual(
    [...claims.of(topic)].map(({ node }) => node),
    ['c'],
  );
  t.true(claims.isOwned(topic, 'a'));
  t.false(claims.isOwned(topic, 'c'));
  claims.remove(topic, 'c');
  claims.put(topic, claim('b', 'owned'));
  t.is(claims.ownership(topic, 0), 'none');
  t.is(claims.own(topic)?.node, 'b');
});
