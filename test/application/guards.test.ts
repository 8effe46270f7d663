import test from 'ava';
import { doorSettings } from '../../src/application/doors.ts';
import { Guards } from '../../src/application/guards.ts';
import { StandingAnswers } from '../../src/authenticator/standing.ts';
import type { Log } from '../../src/log/log.ts';
import { accepted } from '../config/support.ts';

const log = { authenticator: () => undefined } as unknown as Log;

function guardsOf(text: string, before?: Guards) {
  const config = accepted(text);
  const guards = new Guards(config, log, new Map(), before?.standings);
  const own = new Map(doorSettings(config).map((settings) => [settings.door.name, guards.of(settings)]));
  return { guards, own };
}

test('what an authenticator needs, and how long it is waited for, is its guard’s', (t) => {
  const { own } = guardsOf(`
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
  const first = guardsOf(text('one')).guards;
  const second = guardsOf(text('two'), first).guards;
  const table = first.standings.get('authenticator.pusu');
  t.true(table instanceof StandingAnswers);
  t.is(second.standings.get('authenticator.pusu'), table);
  t.not(guardsOf(text('two')).guards.standings.get('authenticator.pusu'), table);
});
