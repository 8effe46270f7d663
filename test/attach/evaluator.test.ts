import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { Evaluator, TooLong, turnWithin } from '../../src/attach/evaluator.ts';
import { StrayErrors } from '../../src/attach/stray-errors.ts';
import { toError } from '../../src/otp/exit-reason.ts';
import { Arrivals } from '../support/arrivals.ts';

/** Milliseconds: what takes none must not be ended by it on a busy machine. */
const LIMIT = 1000;
/** Milliseconds of a turn, where it is to end in a test. */
const TURN = 200;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const strays = new StrayErrors();

interface Bench {
  readonly evaluator: Evaluator;
  readonly errors: Arrivals<unknown>;
}

function bench(
  t: ExecutionContext,
  globals: Readonly<Record<string, unknown>> = {},
  { limit = 60_000, turn = 20_000 } = {},
): Bench {
  const errors = new Arrivals<unknown>('errors');
  const evaluator = new Evaluator({ globals, limit, turn, strays, failed: (error) => errors.push(error) });
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

/** Where a turn is short a busy machine may end what takes no time, too: it is tried again. */
async function valueIn(evaluator: Evaluator, text: string): Promise<unknown> {
  for (;;) {
    const evaluation = await evaluator.evaluate(text);
    if (evaluation.outcome === 'value') return evaluation.value;
    if (evaluation.outcome === 'thrown') throw evaluation.value;
  }
}

const ENDED = { outcome: 'stopped', why: `stopped after ${TURN} ms without a pause` } as const;

for (const [what, text] of [
  ['an endless loop', 'for (;;);'],
  ['a loop that catches everything', 'for (;;) try { (function f() { f(); })(); } catch {}'],
  ['an endless chain of promises, which would starve all timers', 'for (;;) await null'],
  ['such a chain that nobody waits for', '(async () => { for (;;) await null; })(); 1'],
  ['a loop in what a promise calls', 'Promise.resolve().then(() => { for (;;); }); 1'],
  ['a chain of microtasks', 'const f = () => queueMicrotask(f); f()'],
  ['a getter that does not return', '({ get then() { for (;;); } }).then'],
  [
    'a promise whose constructor does not return',
    'const p = Promise.resolve(); Object.defineProperty(p, "constructor", { get() { for (;;); } }); await p',
  ],
  ['a regular expression that tries everything', '/^(a+)+$/.test("a".repeat(40) + "b")'],
  ['a wait for nobody', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
] as const)
  test(`${what} is ended after a turn, and what was under way elsewhere goes on`, async (t) => {
    const { evaluator } = bench(t, {}, { turn: TURN });
    let isDone = false;
    const elsewhere = Promise.resolve().then(() => {
      isDone = true;
    });
    t.deepEqual(await evaluator.evaluate(text), ENDED);
    await elsewhere;
    t.true(isDone);
    t.is(await valueIn(evaluator, 'await Promise.resolve(1)'), 1);
  });

test('a chain of promises that begins later is ended too, and told', async (t) => {
  const { evaluator, errors } = bench(t, {}, { turn: TURN });
  await valueIn(evaluator, 'setTimeout(async () => { for (;;) await null; }); 1');
  t.is(((await errors.next()) as Error).message, ENDED.why);
  t.is(await valueIn(evaluator, '1'), 1);
});

test('a promise that never settles is given up at the limit, or when it is cancelled', async (t) => {
  const { evaluator } = bench(t, {}, { limit: LIMIT });
  t.deepEqual(await evaluator.evaluate('await new Promise(() => {})'), {
    outcome: 'stopped',
    why: `stopped after ${LIMIT} ms`,
  });
  const patient = bench(t).evaluator;
  const under = patient.evaluate('await new Promise(() => {})');
  patient.cancel();
  t.deepEqual(await under, { outcome: 'stopped', why: 'cancelled' });
});

test('promises that nobody settles are collected, and the process lives on', async (t) => {
  const { evaluator } = bench(t);
  for (const text of [
    'await new Promise(() => {})',
    'for await (const one of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });',
    'const lost = await new Promise(() => {})',
  ]) {
    const lost = evaluator.evaluate(text);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    evaluator.cancel();
    t.like(await lost, { outcome: 'stopped' });
    collect();
  }
  t.like(await evaluator.evaluate('1'), { value: 1 });
});

test('a promise of the relay is waited for', async (t) => {
  let resolve: (value: number) => void = () => t.fail();
  const { evaluator } = bench(t, {
    outside: () =>
      new Promise<number>((settle) => {
        resolve = settle;
      }),
  });
  const under = evaluator.evaluate('const a = await outside(); await null; a + 1');
  resolve(1);
  t.like(await under, { value: 2 });
  await evaluator.rest();
  const failing = evaluator.evaluate('await Promise.all([outside().then(() => null.x)])');
  resolve(1);
  t.like(await failing, { outcome: 'thrown' });
});

test('what is printed is bounded as well', async (t) => {
  const { evaluator } = bench(t, {}, { turn: TURN });
  const hostile = await valueIn(
    evaluator,
    '({ [Symbol.for("nodejs.util.inspect.custom")]() { for (;;); } })',
  );
  t.throws(() => evaluator.bounded(() => inspect(hostile)), { message: ENDED.why });
  t.is(await valueIn(evaluator, '1'), 1);
});

test('all that a session does before the sockets are read again shares the time of one turn', async (t) => {
  const { evaluator } = bench(t, {}, { turn: TURN });
  const spin = () => {
    const end = performance.now() + 0.7 * TURN;
    while (performance.now() < end);
  };
  await evaluator.evaluate(`const end = Date.now() + ${0.7 * TURN}; while (Date.now() < end);`);
  t.throws(() => evaluator.bounded(spin), { message: ENDED.why });
  await evaluator.rest();
  t.is(await valueIn(evaluator, '1'), 1);
});

test('how long a relay may be held up is well below the shortest time after which it is taken for dead', (t) => {
  t.deepEqual([100, 999, 1000, 3000, 60_000].map(turnWithin), [33, 333, 333, 333, 333]);
});

/** An operation that says how often it has begun and ended, and takes more of the stack than any other. */
function counted(t: ExecutionContext, turn: number) {
  const counts = { begun: 0, ended: 0 };
  const own: Bench = bench(t, { operation: () => run() }, { turn });
  const deeper = (calls: number): void => {
    if (calls > 0) deeper(calls - 1);
  };
  const run = () => {
    own.evaluator.enter();
    counts.begun++;
    deeper(50);
    counts.ended++;
  };
  return { counts, evaluator: own.evaluator };
}

test('no operation begins near the end of a turn', async (t) => {
  // A busy machine may stand still for a part of a short turn, in the midst of an operation.
  const turn = 5 * TURN;
  const { counts, evaluator } = counted(t, turn);
  for (const text of ['for (;;) operation()', 'for (;;) try { operation() } catch {}'])
    t.like(await evaluator.evaluate(text), { outcome: ENDED.outcome });
  t.true(counts.begun > 0);
  t.is(counts.ended, counts.begun);
});

test('no operation begins near the end of the stack', async (t) => {
  const { counts, evaluator } = counted(t, 60_000);
  t.like(await evaluator.evaluate('(function f() { try { operation(); } catch {} f(); })()'), {
    outcome: 'thrown',
  });
  t.true(counts.begun > 0);
  t.is(counts.ended, counts.begun);
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
  const { evaluator, errors } = bench(t, { beat: () => beats.push('beat') }, { turn: TURN });
  await valueIn(evaluator, 'const again = () => { setTimeout(again); for (;;); }; setTimeout(again); 1');
  t.is(((await errors.next()) as Error).message, ENDED.why);
  await valueIn(evaluator, 'setInterval(beat, 1); 1');
  await beats.next();
  evaluator.close();
  const before = beats.all.length;
  const ticks = new Arrivals<string>('ticks');
  const own = setInterval(() => ticks.push('tick'), 1);
  await ticks.take(5);
  clearInterval(own);
  t.is(beats.all.length, before);
});

test.serial(
  "uncaught errors and rejections are the operator's when they come from their realm, and no others",
  async (t) => {
    const caught = new Arrivals<readonly [unknown, Promise<unknown>]>('caught');
    const globals = { caught: (error: unknown, promise: Promise<unknown>) => caught.push([error, promise]) };
    const { evaluator, errors } = bench(t, globals);
    const other = bench(t);
    await evaluator.evaluate(
      'const e = new Error("mine"); const p = (async () => { throw 1 })(); p.catch(() => {}); caught(e, p)',
    );
    const [error, promise] = await caught.next();
    t.true(strays.take(error, null));
    t.is(await errors.next(), error);
    t.true(strays.take(1, promise));
    t.is(await errors.next(), 1);
    t.deepEqual(other.errors.all, []);
    t.false(strays.take(toError('thrown by its code'), null));
    t.false(strays.take(toError('thrown by its code'), Promise.resolve()));
    evaluator.close();
    t.true(strays.take(error, null), 'what they left running outlives a session');
    t.true(strays.take(1, promise));
  },
);

test.serial("what Node's own modules throw for an operator is the operator's", async (t) => {
  const { evaluator, errors } = bench(t, { createRequire });
  const caught = new Arrivals<unknown>('caught');
  const listener = (error: unknown) => caught.push(error);
  await evaluator.evaluate('const require = createRequire("/")');
  const refused = (await evaluator.evaluate('require("node:net").connect(1, "127.0.0.1")')) as {
    readonly value: Socket;
  };
  refused.value.on('error', listener);
  const missing = (await evaluator.evaluate('require("node:fs/promises").readFile("/nowhere")')) as {
    readonly value: Promise<unknown>;
  };
  missing.value.catch(listener);
  for (const error of await caught.take(2)) {
    t.true(strays.take(error, null));
    t.is(await errors.next(), error);
  }
  const thrown = await evaluator.evaluate('require("node:fs").readFileSync("/nowhere")');
  t.true(thrown.outcome === 'thrown' && strays.take(thrown.value, null));
  t.true(strays.take('no error', null));
});

test('what an evaluation came to is not retained', async (t) => {
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

test('nothing is run to complete a name, and not everything is listed', async (t) => {
  const { evaluator } = bench(t);
  await evaluator.evaluate(
    'const proxy = new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 }, ownKeys() { throw 1 } })',
  );
  t.deepEqual(evaluator.complete('proxy.'), []);
  await evaluator.evaluate(
    'const bytes = new Uint8Array(3e7), child = Object.create(proxy, { mine: { value: 1 } })',
  );
  t.true(evaluator.complete('bytes.').includes('bytes.fill'));
  t.deepEqual(evaluator.complete('child.'), ['child.mine']);
  t.deepEqual(evaluator.complete('a'.repeat(1e6)), []);
  await evaluator.evaluate(
    'const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => ["k" + n, n]))',
  );
  t.is(evaluator.complete('many.k').length, 1000);
});

test('a pid is understood as it is printed', async (t) => {
  const { evaluator } = bench(t, { state: (...refs: unknown[]) => refs.join() });
  t.like(await evaluator.evaluate('state(<88>, 1, <5>)'), { value: '<88>,1,<5>' });
  t.like(await evaluator.evaluate('state("(<88>)")'), { value: '(<88>)' });
});

test('whether something took too long is told without running what was typed', (t) => {
  t.true(TooLong.is(new TooLong(5)));
  const trap = () => {
    throw new Error('run');
  };
  const proxy = new Proxy(new TooLong(5), { getPrototypeOf: trap, get: trap, has: trap });
  for (const other of [proxy, Object.create(proxy), Object.create(new TooLong(5)), new Error('x'), null, 'x'])
    t.false(TooLong.is(other));
});
