import test from 'ava';
import fc from 'fast-check';
import { Questions } from '../../src/authenticator/questions.ts';

test('a question is settled once, and is given up at its deadline', (t) => {
  const questions = new Questions<string>(100, 10);
  const [a, b] = [questions.add('a', 0), questions.add('b', 50)];
  t.is(questions.dueAt, 100);
  t.is(questions.settle(a), 'a');
  t.is(questions.settle(a), undefined);
  t.deepEqual(questions.expire(149), []);
  t.deepEqual(questions.expire(150), ['b']);
  t.deepEqual(questions.open, []);
  t.is(questions.settle(b), undefined, 'too late');
});

test('what was given up takes up room until it settles, or is forgotten', (t) => {
  const questions = new Questions<string>(100, 2);
  const a = questions.add('a', 0);
  t.false(questions.isFull);
  questions.add('b', 0);
  t.true(questions.isFull);
  questions.expire(100);
  t.true(questions.isFull);
  questions.settle(a);
  t.false(questions.isFull);
  questions.add('c', 200);
  t.true(questions.isFull);
  t.is(questions.dueAt, 300);
  questions.expire(300);
  t.is(questions.dueAt, 100 + 30 * 100);
  questions.expire(100 + 30 * 100);
  t.false(questions.isFull);
});

test('every question is settled, given up or still open, and exactly one of these', (t) => {
  const act = fc.record({ wait: fc.integer({ min: 0, max: 60 }), settle: fc.option(fc.nat({ max: 40 })) });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const questions = new Questions<number>(100, 1000);
      const [ids, over]: [number[], number[]] = [[], []];
      let now = 0;
      for (const { wait, settle } of acts) {
        now += wait;
        if (settle === null) ids.push(questions.add(ids.length, now));
        else over.push(...[questions.settle(ids[settle] ?? 0)].filter((each) => each !== undefined));
        over.push(...questions.expire(now));
        t.true(questions.dueAt > now);
        t.deepEqual(
          [...over, ...questions.open].toSorted((x, y) => x - y),
          ids.map((_, index) => index),
        );
      }
    }),
  );
});
