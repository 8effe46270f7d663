import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { mock } from 'node:test';
import test from 'ava';
import { UnreadAnswers } from '../../src/http/unread-answers.ts';

mock.timers.enable({ apis: ['setTimeout'] });
test.after(() => mock.timers.reset());

/** An answer of so many bytes, and the socket whose kernel takes them. */
function answering(limit: { time: number }) {
  const socket = { bytesRead: 0, bytesWritten: 1000, writableLength: 1000 };
  const answer = Object.assign(new EventEmitter(), { writableEnded: true });
  let ended = false;
  const answers = new UnreadAnswers(
    () => limit.time,
    () => {
      ended = true;
      answer.emit('close');
    },
  );
  return {
    answer,
    watch: (endless?: boolean) => answers.watch(socket as Socket, answer as never, endless),
    take: (bytes: number) => {
      socket.writableLength -= bytes;
    },
    write: (bytes: number) => {
      socket.bytesWritten += bytes;
      socket.writableLength += bytes;
    },
    isEnded: () => ended,
  };
}

const pass = (seconds: number) => {
  for (let i = 0; i < seconds * 10; i++) mock.timers.tick(100);
};

test.serial(
  'an answer of which nothing is taken for the time of the limit ends the connection, not before',
  (t) => {
    const one = answering({ time: 3000 });
    one.watch();
    pass(2.9);
    t.false(one.isEnded());
    pass(0.1);
    t.true(one.isEnded());
  },
);

test.serial('whoever takes a byte now and then is waited for', (t) => {
  const one = answering({ time: 3000 });
  one.watch();
  for (let i = 0; i < 10; i++) {
    pass(2);
    one.take(1);
  }
  t.false(one.isEnded());
  pass(4);
  t.true(one.isEnded());
});

test.serial('an answer that was taken as a whole, or is over, waits for nobody', (t) => {
  const [taken, over] = [answering({ time: 1000 }), answering({ time: 1000 })];
  taken.watch();
  taken.take(1000);
  over.watch();
  over.answer.emit('close');
  pass(10);
  t.false(taken.isEnded());
  t.false(over.isEnded());
});

test.serial('what is no whole answer yet is looked at only when it has no end', (t) => {
  const [begun, feed] = [answering({ time: 1000 }), answering({ time: 1000 })];
  begun.answer.writableEnded = false;
  feed.answer.writableEnded = false;
  begun.watch();
  feed.watch(true);
  pass(0.9);
  // What is written is no progress.
  feed.write(10);
  pass(0.1);
  t.true(feed.isEnded());
  pass(10);
  t.false(begun.isEnded());
  begun.answer.writableEnded = true;
  pass(1);
  t.true(begun.isEnded());
});

test.serial('another limit counts at once, for answers under way too, and 0 is none', (t) => {
  const limit = { time: 0 };
  const one = answering(limit);
  one.watch();
  pass(100);
  t.false(one.isEnded());
  limit.time = 2000;
  pass(1);
  t.true(one.isEnded(), 'it has taken nothing for much longer');
});
