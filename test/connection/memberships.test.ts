import test from 'ava';
import fc from 'fast-check';
import { Memberships } from '../../src/connection/memberships.ts';
import { Topic } from '../../src/topic/topic.ts';

test('none, one, and several memberships are found by name', (t) => {
  const memberships = new Memberships();
  t.is(memberships.size, 0);
  t.deepEqual([...memberships], []);
  const [a, b] = [new Topic('main', 'a'), new Topic('main', 'b')];
  memberships.set(a);
  t.is(memberships.get('a'), a);
  t.is(memberships.get('b'), undefined);
  memberships.set(b);
  t.is(memberships.get('a'), a);
  t.is(memberships.get('b'), b);
  t.is(memberships.size, 2);
});

const names = ['a', 'b', 'c', 'constructor', '__proto__'] as const;
const step = fc.record({ do: fc.constantFrom('set', 'delete'), name: fc.constantFrom(...names) });

test('memberships behave as a map by name', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const memberships = new Memberships();
      const map = new Map<string, Topic>();
      for (const one of steps) {
        if (one.do === 'set') {
          const topic = new Topic('main', one.name);
          memberships.set(topic);
          map.set(one.name, topic);
        } else {
          memberships.delete(one.name);
          map.delete(one.name);
        }
        if (memberships.size !== map.size) return false;
        if (names.some((name) => memberships.get(name) !== map.get(name))) return false;
        const all = [...memberships];
        if (all.length !== map.size || all.some((topic) => map.get(topic.name) !== topic)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('of topics that bring their past in portions one is asked at a time', (t) => {
  const memberships = new Memberships();
  const [a, b] = [new Topic('main', 'a'), new Topic('main', 'b')];
  for (const topic of [a, b]) {
    memberships.set(topic);
    memberships.resume(topic);
  }
  t.is(memberships.nextPortion(), a);
  t.is(memberships.nextPortion(), undefined);
  memberships.caughtUp(a);
  t.is(memberships.nextPortion(), b);
  memberships.delete('b');
  t.false(memberships.resumes);
});
