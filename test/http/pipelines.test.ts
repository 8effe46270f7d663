import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import test from 'ava';
import { MAX_WAITING, Pipelines } from '../../src/http/pipelines.ts';

class FakeResponse extends EventEmitter {
  readonly req = { complete: true };
}

/** `complete`: its request has come as a whole. */
function response(complete = true): FakeResponse & ServerResponse {
  const fake = new FakeResponse();
  fake.req.complete = complete;
  return fake as FakeResponse & ServerResponse;
}

const never = () => {
  throw new Error('it is not its turn');
};

test('a request has its turn when Node has done with the answer before it', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  const turns: number[] = [];
  const responses = Array.from({ length: 4 }, () => response());
  const places = responses.map((one, i) => pipelines.enter(socket, one, () => turns.push(i)));
  t.deepEqual(places, ['now', 'later', 'later', 'later']);
  for (const [i, one] of responses.entries()) {
    t.deepEqual(turns, [1, 2, 3].slice(0, i));
    one.emit('close');
  }
  t.is(pipelines.enter(socket, response(), never), 'now');
});

test('connections do not wait for each other', (t) => {
  const pipelines = new Pipelines();
  for (let i = 0; i < 3; i++) t.is(pipelines.enter(new Socket(), response(), never), 'now');
});

test('as many as may wait do, and not one more', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  const enter = () => pipelines.enter(socket, response(), () => undefined);
  t.is(enter(), 'now');
  for (let i = 0; i < MAX_WAITING; i++) t.is(enter(), 'later');
  t.is(enter(), 'full');
  t.is(enter(), 'full');
});

test('a connection is not read while requests wait', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  const responses = Array.from({ length: 3 }, () => response());
  for (const one of responses) {
    t.false(socket.isPaused() && responses.indexOf(one) < 2);
    pipelines.enter(socket, one, () => undefined);
  }
  t.true(socket.isPaused());
  responses[0]?.emit('close');
  t.true(socket.isPaused());
  responses[1]?.emit('close');
  t.false(socket.isPaused());
});

test('an upgrade has its turn as a request has, and leaves the reading to who takes the socket', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  t.is(pipelines.leave(socket, never), 'now');
  const [first, second] = [response(), response()];
  pipelines.enter(socket, first, () => undefined);
  pipelines.enter(socket, second, () => undefined);
  let turns = 0;
  t.is(
    pipelines.leave(socket, () => turns++),
    'later',
  );
  first.emit('close');
  t.is(turns, 0);
  second.emit('close');
  t.is(turns, 1);
  t.true(socket.isPaused());
  t.is(pipelines.enter(socket, response(), never), 'now');
});

test('nothing has its turn behind an answer that does not end, until that has ended all the same', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  const [first, endless] = [response(), response()];
  pipelines.enter(socket, first, never);
  pipelines.enter(socket, endless, () => undefined);
  t.false(pipelines.neverEnds(socket), 'one waits behind the first');
  first.emit('close');
  t.true(pipelines.neverEnds(socket));
  t.is(pipelines.enter(socket, response(), never), 'full');
  t.is(pipelines.leave(socket, never), 'full');
  endless.emit('close');
  t.is(pipelines.enter(socket, response(), never), 'now');
});

test('what is no HTTP waits for the requests before it, unless it is the body of the last one', (t) => {
  const pipelines = new Pipelines();
  const [idle, whole, partial, both] = Array.from({ length: 4 }, () => new Socket()) as [
    Socket,
    Socket,
    Socket,
    Socket,
  ];
  t.is(pipelines.break(idle, never), 'now');
  const first = response();
  pipelines.enter(whole, first, never);
  const turns: string[] = [];
  t.is(
    pipelines.break(whole, () => turns.push('whole')),
    'later',
  );
  first.emit('close');
  t.deepEqual(turns, ['whole']);
  pipelines.enter(partial, response(false), never);
  t.is(pipelines.break(partial, never), 'now');
  const before = response();
  pipelines.enter(both, before, never);
  pipelines.enter(both, response(false), never);
  t.is(
    pipelines.break(both, () => turns.push('in place of the one that is not whole')),
    'later',
  );
  before.emit('close');
  t.deepEqual(turns, ['whole', 'in place of the one that is not whole']);
});
