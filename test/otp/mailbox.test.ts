import test from 'ava';
import { Mailbox } from '../../src/otp/mailbox.ts';

/** More than an engine takes as the arguments of one call. */
const MANY = 200_001;

function filled(from: number, to: number): Mailbox {
  const mailbox = new Mailbox();
  for (let i = from; i < to; i++) mailbox.put(i);
  return mailbox;
}

test('messages that are put back stand before those that came since, however many', (t) => {
  for (const waiting of [0, 1, 2, MANY]) {
    for (const back of [0, 1, 2, MANY]) {
      const mailbox = filled(back, back + waiting);
      mailbox.putBack(Array.from({ length: back }, (_, i) => i));
      t.is(mailbox.length, back + waiting);
      t.is(mailbox.first, back + waiting === 0 ? undefined : 0);
      t.deepEqual(
        mailbox.takeAll(),
        Array.from({ length: back + waiting }, (_, i) => i),
      );
      t.is(mailbox.length, 0);
    }
  }
});

test('a message that is an array is put back as it is', (t) => {
  const mailbox = new Mailbox();
  mailbox.put([3]);
  mailbox.putBack([[1], [2]]);
  t.deepEqual(mailbox.takeAll(), [[1], [2], [3]]);
});
