import test from 'ava';
import { doorSettings } from '../../src/application/doors.ts';
import { type Guards, guardsOf } from '../../src/application/guards.ts';
import { AuthenticatorMeters } from '../../src/authenticator/metered.ts';
import { StandingAnswers } from '../../src/authenticator/standing.ts';
import type { Log } from '../../src/log/log.ts';
import { accepted } from '../config/support.ts';

const log = { authenticator: () => undefined } as unknown as Log;

function guardsFor(text: string, before?: Guards): Guards {
  const config = accepted(text);
  return guardsOf(doorSettings(config), config, {
    log,
    plugins: new Map(),
    meters: new AuthenticatorMeters(),
    before: before?.standings ?? new Map(),
    generation: 0,
  });
}

test('what an authenticator needs, and how long it is waited for, is its guard’s', (t) => {
  const { of: own } = guardsFor(`
authenticator: Forward
forward: { url: "http://127.0.0.1:1/", timeout: 5s }
doors:
  pusu: {}
  pinghub: { authenticator: PasswordAuthenticator, passwords: { a: [a] }, authenticator_timeout: 7s }
`);
  t.is(own.get('pusu')?.authenticator.needs, 'topic');
  t.is(own.get('pusu')?.authenticator.patience, 8000);
  t.is(own.get('pinghub')?.authenticator.needs, undefined);
  t.is(own.get('pinghub')?.authenticator.patience, 10_000);
  t.is(own.get('pinghub')?.open.server, null);
});

test('guards with other settings go on with what those before them have granted', (t) => {
  const text = (word: string) => `authenticator: PasswordAuthenticator\npasswords: { ${word}: [a] }`;
  const first = guardsFor(text('one'));
  const second = guardsFor(text('two'), first);
  const table = first.standings.get('authenticator.pusu');
  t.true(table instanceof StandingAnswers);
  t.is(second.standings.get('authenticator.pusu'), table);
  t.not(guardsFor(text('two')).standings.get('authenticator.pusu'), table);
});
