import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import test from 'ava';
import { describe } from '../../src/view/describe.ts';

test('bytes are shown by their number, and secrets not at all', (t) => {
  const value = {
    payload: Buffer.from('{"type":"authorize","authorization":"hunter2"}'),
    authorization: 'hunter2',
    nested: {
      password: 'hunter2',
      apiKeys: ['hunter2'],
      sha256: Buffer.alloc(32),
      token: 'hunter2',
      tokens: 1,
    },
    map: new Map([['secret', 'hunter2']]),
    error: new Error('hunter2'),
  };
  const shown = inspect(describe(value, 5), { depth: 9 });
  t.notRegex(shown, /hunter2/);
  t.regex(shown, /<46 bytes>/);
  t.regex(shown, /tokens: 1/);
  t.is(shown.match(/\[hidden\]/g)?.length, 6);
});

class Parent {
  readonly shown = 1;
  #hidden = 2;

  get inherited(): number {
    return this.#hidden;
  }
}

class Child extends Parent {
  readonly #items = ['a', 'b'];

  get password(): string {
    return 'hunter2';
  }

  get broken(): number {
    throw new Error('not now');
  }

  *[Symbol.iterator](): Iterator<string> {
    yield* this.#items;
  }
}

test('what a class keeps to itself is shown as the class shows it', (t) => {
  t.deepEqual(describe(new Child()), {
    shown: 1,
    password: '[hidden]',
    broken: '[Error]',
    inherited: 2,
    items: ['a', 'b'],
  });
  t.deepEqual(describe(new (class Foreign extends EventEmitter {})()), '[Foreign]');
});

test('getters of plain objects are not run, and a description has an end', (t) => {
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  Object.defineProperty(loop, 'trap', { enumerable: true, get: () => t.fail() });
  t.deepEqual(describe(loop, 1), { self: '[Object]' });
  const long = describe(Array.from({ length: 21 }, (_, i) => i)) as readonly unknown[];
  t.is(long.length, 21);
  t.is(long[20], '… 1 more');
  t.is((describe(Array.from({ length: 20 }, (_, i) => i)) as readonly unknown[]).length, 20);
  t.is(describe('x'.repeat(200)), 'x'.repeat(200));
  t.is(describe('x'.repeat(201)), `${'x'.repeat(200)}… (201 characters)`);
});
