import test from 'ava';
import { labelOf } from '../../src/authenticator/outcome.ts';

test('an error is known by its code or its class, and never by its message', (t) => {
  const coded = (code: unknown) => Object.assign(new TypeError('open sesame'), { code });
  t.is(labelOf(new TypeError('open sesame')), 'TypeError');
  t.is(labelOf(coded('ECONNREFUSED')), 'ECONNREFUSED');
  t.is(labelOf(coded('57P01')), '57P01');
  t.is(labelOf(coded('open sesame')), 'TypeError');
  t.is(labelOf(coded(7)), 'TypeError');
  for (const odd of ['open sesame', null, undefined, { code: 'X' }]) t.is(labelOf(odd), null);
});

test('an error whose properties throw has no name', (t) => {
  const hostile = Object.defineProperty(new Error('x'), 'code', {
    get() {
      throw new Error('y');
    },
  });
  t.is(labelOf(hostile), null);
});
