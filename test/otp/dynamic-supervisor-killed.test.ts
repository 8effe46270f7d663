import test from 'ava';
import type { Process } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { pool } from '../support/pool.ts';

test('a supervisor that is killed with the news of a crash waiting abandons that child, and no other', async (t) => {
  const { add, send: tell, quiet, pid, abandoned } = pool({ restart: 'temporary' });
  await add('a', 'b', 'c');
  suspend(pid);
  tell('a', 'crash');
  tell('b', { type: 'end', reason: 'normal' });
  await quiet();
  exit(pid, 'kill');
  await quiet();
  t.deepEqual(abandoned, ['a']);
});

test('a supervisor that is killed while a child waits for another try abandons it, once', async (t) => {
  const { add, send: tell, quiet, pid, failing, abandoned, undelivered } = pool({ keepMailbox: true });
  await add('a');
  failing.set('a', 1);
  suspend(pid);
  tell('a', 'crash', '1');
  await quiet();
  resume(pid);
  // The restart has failed within this turn, and the next try is on its way.
  (pid as Process).run();
  exit(pid, 'kill');
  await quiet();
  t.deepEqual(abandoned, ['a']);
  t.deepEqual(undelivered, ['crash', '1']);
});
