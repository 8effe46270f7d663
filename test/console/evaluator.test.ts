import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { Evaluator } from '../../src/console/evaluator.ts';
import { isStray } from '../../src/console/stray-errors.ts';
import { Arrivals } from '../support/arrivals.ts';

/** Milliseconds: what takes none must not be ended by it on a busy machine. */
const LIMIT = 1000;

interface Bench {
  readonly evaluator: Evaluator;
  readonly errors: Arrivals<unknown>;
}

function bench(t: ExecutionContext, globals: Readonly<Record<string, unknown>> = {}, limit = 20_000): Bench {
  const errors = new Arrivals<unknown>('errors');
  const evaluator = new Evaluator({ globals, limit, failed: (error) => errors.push(error) });
  t.teardown(() => evaluator.close());
  return { evaluator, errors };
}

test('declarations last, may be made again, and values come out as they are', async (t) => {
  const held = { big: 1n };
  const { evaluator } = bench(t, { held });
  t.deepEqual(await evaluator.evaluate('const a = 1; a'), { outcome: 'value', value: 1 });
  t.deepEqual(await evaluator.evaluate('const a = 2'), { outcome: 'value', value: undefined });
  t.deepEqual(await evaluator.evaluate('await Promise.resolve(a + 1)'), { outcome: 'value', value: 3 });
  const got = await evaluator.evaluate('held');
  t.true(got.outcome === 'value' && got.value === held);
  for (const [text, value] of [
    ['-0', -0],
    ['NaN', Number.NaN],
    ['2n', 2n],
    ['null', null],
  ] as const)
    t.deepEqual(await evaluator.evaluate(text), { outcome: 'value', value }, text);
});

test('two sessions do not see what the other has declared', async (t) => {
  const [one, other] = [bench(t), bench(t)];
  await one.evaluator.evaluate('const mine = 1');
  t.like(await other.evaluator.evaluate('typeof mine'), { value: 'undefined' });
});

test('what is thrown is told, and the next evaluation is as good as ever', async (t) => {
  const { evaluator } = bench(t);
  const { outcome, value } = (await evaluator.evaluate('null.x')) as { outcome: string; value: Error };
  t.is(outcome, 'thrown');
  t.is(value.name, 'TypeError');
  t.like(await evaluator.evaluate('({'), { outcome: 'thrown' });
  t.like(await evaluator.evaluate('1'), { value: 1 });
});

test('an endless loop is ended at the limit', async (t) => {
  const { evaluator } = bench(t, {}, LIMIT);
  t.deepEqual(await evaluator.evaluate('for (;;);'), {
    outcome: 'stopped',
    why: `stopped after ${LIMIT} ms`,
  });
  t.like(await evaluator.evaluate('1'), { value: 1 });
});

test.serial('an endless chain of promises, which starves all timers, is ended too', async (t) => {
  const { evaluator } = bench(t, {}, LIMIT);
  t.like(await evaluator.evaluate('for (;;) await null'), { outcome: 'stopped' });
  t.like(await evaluator.evaluate('1'), { value: 1 });
});

test('a promise that never settles is given up at the limit, or when it is cancelled', async (t) => {
  const { evaluator } = bench(t, {}, LIMIT);
  t.like(await evaluator.evaluate('await new Promise(() => {})'), { outcome: 'stopped' });
  const patient = bench(t).evaluator;
  const under = patient.evaluate('await new Promise(() => {})');
  patient.cancel();
  t.deepEqual(await under, { outcome: 'stopped', why: 'cancelled' });
});

test("an error of the operator's own timer is told to them", async (t) => {
  const { evaluator, errors } = bench(t);
  for (const text of [
    'setTimeout(() => null.x)',
    'setImmediate(() => null.x)',
    'queueMicrotask(() => null.x)',
  ])
    await evaluator.evaluate(`${text}; 1`);
  const thrown = await errors.take(3);
  t.true(thrown.every((error) => (error as Error).name === 'TypeError'));
});

test('a timer that never ends is ended, and those that are left end with the session', async (t) => {
  const beats = new Arrivals<string>('beats');
  const { evaluator, errors } = bench(t, { beat: () => beats.push('beat') }, 200);
  await evaluator.evaluate('setTimeout(() => { for (;;); }); 1');
  t.like(await errors.next(), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  await evaluator.evaluate('setInterval(beat, 1); 1');
  await beats.next();
  evaluator.close();
  const before = beats.all.length;
  const ticks = new Arrivals<string>('ticks');
  const own = setInterval(() => ticks.push('tick'), 1);
  await ticks.take(5);
  clearInterval(own);
  t.is(beats.all.length, before);
});

test("uncaught errors and rejections are the operator's when they come from their realm, and no others", async (t) => {
  const caught = new Arrivals<readonly [unknown, Promise<unknown>]>('caught');
  const { evaluator, errors } = bench(t, {
    caught: (error: unknown, promise: Promise<unknown>) => caught.push([error, promise]),
  });
  await evaluator.evaluate(
    'const e = new Error("mine"); const p = (async () => { throw 1 })(); p.catch(() => {}); caught(e, p)',
  );
  const [error, promise] = await caught.next();
  t.true(isStray(error, null));
  t.is(await errors.next(), error);
  t.true(isStray(1, promise));
  t.false(isStray(new Error('of the relay'), null));
  t.false(isStray(1, Promise.resolve()));
  evaluator.close();
  t.false(isStray(error, null));
});

test('what an evaluation came to is not retained', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let made: WeakRef<object> | undefined;
  const { evaluator } = bench(t, {
    make: () => {
      const big = { bytes: new Uint8Array(1024) };
      made = new WeakRef(big);
      return big;
    },
  });
  await evaluator.evaluate('make()');
  await evaluator.evaluate('1');
  // A WeakRef holds its target to the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  t.is(made?.deref(), undefined);
});

test('names are completed without running a getter', async (t) => {
  const host = {
    alpha: { beta: 1 },
    get trap() {
      return t.fail();
    },
  };
  const { evaluator } = bench(t, { host, connections: () => 1 });
  t.deepEqual(evaluator.complete('conn'), ['connections']);
  t.deepEqual(evaluator.complete('1 + host.al'), ['host.alpha']);
  t.true(evaluator.complete('host.alpha.').includes('host.alpha.beta'));
  await evaluator.evaluate('const local = { inner: 1 }');
  t.deepEqual(evaluator.complete('loc'), ['local']);
  t.deepEqual(evaluator.complete('local.inn'), ['local.inner']);
  t.deepEqual(evaluator.complete('host.trap.'), []);
  t.deepEqual(evaluator.complete('nope.x'), []);
});

test('a pid is understood as it is printed', async (t) => {
  const { evaluator } = bench(t, { state: (...refs: unknown[]) => refs.join() });
  t.like(await evaluator.evaluate('state(<88>, 1, <5>)'), { value: '<88>,1,<5>' });
  t.like(await evaluator.evaluate('state("(<88>)")'), { value: '(<88>)' });
});
