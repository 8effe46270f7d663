import test from 'ava';
import { noneAuthenticator as none } from '../../src/authenticator/authenticator-from.ts';
import type { Authenticator } from '../../src/authenticator/contract.ts';
import { AuthenticatorMeters, metered } from '../../src/authenticator/metered.ts';

const question = { authorization: 'a', door: 'pusu', address: '127.0.0.1' };

test('answers and failures are counted, now or later, and passed on as they are', async (t) => {
  const meter = new AuthenticatorMeters().of('pusu', 'None');
  const answer = none.anonymous;
  const asked = (authorise: Authenticator['authorise']) =>
    metered({ name: 'x', anonymous: none.anonymous, authorise }, meter).authorise(question);
  t.is(
    asked(() => answer),
    answer,
  );
  t.is(await asked(() => Promise.resolve(answer)), answer);
  t.throws(
    () =>
      asked(() => {
        throw new Error('a');
      }),
    { message: 'a' },
  );
  await t.throwsAsync(async () => asked(() => Promise.reject(new Error('b'))), { message: 'b' });
  t.is(meter.answered, 2);
  t.is(meter.failed, 2);
  t.is(meter.latency.count, 4);
});

test('a guard that is configured anew goes on with its numbers', (t) => {
  const meters = new AuthenticatorMeters();
  meters.of('pusu', 'JWT').answered = 5;
  t.is(meters.of('pusu', 'JWT').answered, 5);
  t.is(meters.of('pusu', 'None').answered, 0);
  t.is(meters.all.length, 2);
});

test('whatever else an authenticator can do goes to itself', (t) => {
  class Own {
    readonly name = 'own';
    readonly anonymous = none.anonymous;
    readonly #secret = 7;
    authorise() {
      return none.anonymous;
    }
    watch(): () => number {
      return () => this.#secret;
    }
  }
  const own = metered(new Own(), new AuthenticatorMeters().of('a', 'own')) as unknown as Own;
  t.is(own.watch()(), 7);
  t.is(own.name, 'own');
});
