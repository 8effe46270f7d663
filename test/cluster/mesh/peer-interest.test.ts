import test from 'ava';
import fc from 'fast-check';
import { PeerInterest } from '../../../src/cluster/mesh/peer-interest.ts';
import { Topic } from '../../../src/topic/topic.ts';

const key = (name: string) => ({ realm: 'main', name });
const frame = (
  version: number,
  add: readonly string[],
  {
    drop = [],
    begin = false,
    end = false,
  }: { drop?: readonly string[]; begin?: boolean; end?: boolean } = {},
) => ({ type: 'interest', version, begin, end, add: add.map(key), drop: drop.map(key) }) as const;
const namesOf = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

test('a version is confirmed once all topics of its frame and of those before it are joined', (t) => {
  const interest = new PeerInterest();
  const topics = ['a', 'b', 'c'].map((name) => new Topic('main', name));
  const [a, b, c] = topics as [Topic, Topic, Topic];
  t.deepEqual(namesOf(interest.named(frame(1, ['a', 'b'])).join), ['a', 'b']);
  t.deepEqual(namesOf(interest.named(frame(2, ['c', 'a'])).join), ['c'], 'what is wanted is joined once');
  t.is(interest.confirm(), undefined);
  interest.joined(c);
  interest.joined(a);
  t.is(interest.confirm(), undefined, 'one of the first is missing');
  t.deepEqual(namesOf(interest.missing), ['b']);
  interest.joined(b);
  t.is(interest.confirm(), 2, 'the last one is enough');
  t.is(interest.confirm(), undefined, 'once');
  t.deepEqual(interest.topics, [a, b, c]);
});

test('a list of all, in pieces, takes out what it does not name', (t) => {
  const interest = new PeerInterest();
  const [a, b] = [new Topic('main', 'a'), new Topic('main', 'b')];
  interest.named(frame(1, ['a', 'b']));
  interest.joined(a);
  interest.joined(b);
  t.is(interest.confirm(), 1);
  t.deepEqual(interest.named(frame(0, ['c'], { begin: true })).leave, []);
  t.is(interest.confirm(), undefined, 'the last piece has the version');
  t.deepEqual(interest.named(frame(2, ['b'], { end: true })).leave, [a]);
  t.is(interest.topicOf(key('a')), undefined);
  t.is(interest.topicOf(key('b')), b);
});

test('a topic that is joined when nobody wants it any more is left again', (t) => {
  const interest = new PeerInterest();
  interest.named(frame(1, ['a']));
  t.deepEqual(interest.named(frame(2, [], { drop: ['a'] })).leave, [], 'nothing is joined yet');
  t.false(interest.joined(new Topic('main', 'a')));
  t.is(interest.confirm(), 2);
});

test('a topic that is lost is joined again, and what is said meanwhile waits for it; an earlier one is nothing', (t) => {
  const interest = new PeerInterest();
  const [before, after] = [new Topic('main', 'a'), new Topic('main', 'a')];
  interest.named(frame(1, ['a']));
  interest.joined(before);
  t.is(interest.confirm(), 1);
  t.true(interest.lost(before));
  t.false(interest.lost(before));
  interest.named(frame(2, []));
  t.is(interest.confirm(), undefined);
  t.true(interest.joined(after));
  t.is(interest.confirm(), 2);
});

test('after the connection nobody waits for a confirmation, and topics are still wanted', (t) => {
  const interest = new PeerInterest();
  interest.named(frame(1, ['a'], { begin: true }));
  interest.disconnected();
  const a = new Topic('main', 'a');
  t.true(interest.joined(a));
  t.is(interest.confirm(), undefined);
  t.deepEqual(interest.named(frame(1, [], { end: true })).leave, [], 'the list of before goes on nowhere');
});

test('whatever is named, dropped, joined and lost: all that is wanted is joined or missing, and nothing is confirmed early', (t) => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const act = fc.oneof(
    fc.record({ add: fc.uniqueArray(name), drop: fc.uniqueArray(name) }),
    fc.record({ joins: name }),
    fc.record({ loses: name }),
  );
  fc.assert(
    fc.property(fc.array(act, { size: 'max', maxLength: 40 }), (script) => {
      const interest = new PeerInterest();
      const wanted = new Set<string>();
      let version = 0;
      let confirmed = 0;
      for (const one of script) {
        if ('joins' in one) {
          t.is(interest.joined(new Topic('main', one.joins)), wanted.has(one.joins));
        } else if ('loses' in one) {
          const topic = interest.topicOf(key(one.loses));
          if (topic !== undefined) t.true(interest.lost(topic));
        } else {
          const drop = one.drop.filter((each) => !one.add.includes(each));
          for (const each of one.add) wanted.add(each);
          for (const each of drop) wanted.delete(each);
          interest.named(frame(++version, one.add, { drop }));
        }
        const joined = namesOf(interest.topics);
        t.deepEqual([...joined, ...namesOf(interest.missing)].sort(), [...wanted].sort());
        confirmed = interest.confirm() ?? confirmed;
        if (joined.length === wanted.size) t.is(confirmed, version);
      }
    }),
  );
});
