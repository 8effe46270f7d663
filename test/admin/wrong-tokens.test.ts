import test from 'ava';
import { WrongTokens } from '../../src/admin/wrong-tokens.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function world() {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const tokens = new WrongTokens(clock, {
    write: ({ by, who, what, outcome }) => void lines.push(`${by} ${who}: ${what}, ${outcome}`),
  });
  const refused = (address: string, times = 1, token: 'wrong' | null = 'wrong', user = '') => {
    for (let i = 0; i < times; i++) tokens.refused({ address, who: `${user}${address}`, token });
  };
  return { clock, lines, tokens, refused };
}

test('the first wrong token of an address is told at once, and the others of that minute as one number', (t) => {
  const { clock, lines, tokens, refused } = world();
  refused('10.0.0.1', 1500, 'wrong', 'eve at ');
  refused('10.0.0.2');
  refused('10.0.0.1', 1, null);
  t.deepEqual(lines.splice(0), [
    'page eve at 10.0.0.1: a wrong token, refused',
    'page 10.0.0.2: a wrong token, refused',
    'page 10.0.0.1: an action without a token, refused',
  ]);
  t.is(tokens.count, 1502);
  clock.advance(59_999);
  t.deepEqual(lines, []);
  clock.advance(1);
  t.deepEqual(lines.splice(0), ['page eve at 10.0.0.1: a wrong token, 1499 more refused within a minute']);
  refused('10.0.0.1');
  t.deepEqual(lines, ['page 10.0.0.1: a wrong token, refused']);
});

test('addresses beyond the hundredth of a minute share one line', (t) => {
  const { clock, lines, tokens, refused } = world();
  for (let i = 0; i < 100; i++) refused(`10.0.0.${i}`);
  t.is(lines.splice(0).length, 100);
  for (let i = 0; i < 1000; i++) refused(`10.1.0.${i}`);
  refused('10.0.0.7');
  t.deepEqual(lines.splice(0), ['page other addresses: a wrong token, refused']);
  clock.advance(60_000);
  t.deepEqual(lines.toSorted(), [
    'page 10.0.0.7: a wrong token, 1 more refused within a minute',
    'page other addresses: a wrong token, 999 more refused within a minute',
  ]);
  t.is(tokens.count, 1101);
});
