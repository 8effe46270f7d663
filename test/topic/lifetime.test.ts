import test from 'ava';
import { claim, hasEnded, type Lifetime, mayPublish, ownerLeft, unowned } from '../../src/topic/lifetime.ts';

const owned: Lifetime<string> = { state: 'owned', owner: 'a', grace: 10 };
const grace: Lifetime<string> = { state: 'grace', until: 110 };

test('a topic without an owner can be claimed', (t) => {
  t.deepEqual(claim(unowned, 'a', 10), owned);
});

test('an owned topic can be claimed by its owner again, with another grace, and by nobody else', (t) => {
  t.deepEqual(claim(owned, 'a', 20), { state: 'owned', owner: 'a', grace: 20 });
  t.is(claim(owned, 'b', 10), null);
});

test('in the time of grace anybody may take over', (t) => {
  t.deepEqual(claim(grace, 'b', 5), { state: 'owned', owner: 'b', grace: 5 });
});

test('grace begins when the owner leaves, and with nobody else', (t) => {
  t.deepEqual(ownerLeft(owned, 'a', 100), grace);
  t.is(ownerLeft(owned, 'b', 100), owned);
  t.is(ownerLeft(grace, 'a', 200), grace);
  t.is(ownerLeft<string>(unowned, 'a', 100), unowned);
});

test('grace ends at its last millisecond, not before', (t) => {
  t.false(hasEnded(grace, 109));
  t.true(hasEnded(grace, 110));
  t.false(hasEnded(owned, 1000));
  t.false(hasEnded(unowned, 1000));
});

test('anybody publishes to a topic that is not owned, the owner alone to one that is, nobody in grace', (t) => {
  t.true(mayPublish(unowned, 'b'));
  t.true(mayPublish(owned, 'a'));
  t.false(mayPublish(owned, 'b'));
  t.false(mayPublish(grace, 'a'));
});
