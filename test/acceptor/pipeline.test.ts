import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import test from 'ava';
import { MAX_WAITING, Pipelines } from '../../src/acceptor/pipeline.ts';

class FakeResponse extends EventEmitter {
  writableFinished = false;

  finish(): void {
    this.writableFinished = true;
    this.emit('close');
  }
}

function response(): FakeResponse & ServerResponse {
  return new FakeResponse() as FakeResponse & ServerResponse;
}

test('a request has its turn when the one before it has been answered', (t) => {
  const pipelines = new Pipelines();
  const socket = new Socket();
  const turns: number[] = [];
  const responses = Array.from({ length: 4 }, response);
  const places = responses.map((one, i) => pipelines.enter(socket, one, () => turns.push(i)));
  t.deepEqual(places, ['now', 'later', 'later', 'later']);
  for (const [i, one] of responses.entries()) {
    t.true(pipelines.isBusy(socket));
    one.finish();
    t.deepEqual(turns, [1, 2, 3].slice(0, i + 1));
  }
  t.false(pipelines.isBusy(socket));
  t.is(
    pipelines.enter(socket, response(), () => t.fail()),
    'now',
  );
});

test('connections do not wait for each other', (t) => {
  const pipelines = new Pipelines();
  for (let i = 0; i < 3; i++)
    t.is(
      pipelines.enter(new Socket(), response(), () => t.fail()),
      'now',
    );
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
