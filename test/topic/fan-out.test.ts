import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Pid } from '../../src/otp/process.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import { FanOut } from '../../src/topic/fan-out.ts';
import { Keys } from '../../src/topic/keys.ts';
import { Members } from '../../src/topic/members.ts';
import type { Delivery, Format, Publish } from '../../src/topic/message.ts';
import { isBalanced } from '../support/relay.ts';
import { formatOf, textMessage, textsOf } from './topics-world.ts';

/** A process as `send` and `inform` see it, and what has come to it. */
function fake(id: number) {
  const got: Delivery[] = [];
  let credit = 0;
  const pid = {
    id,
    receive: (delivery: Delivery) => got.push(delivery) > 0,
    inform: ({ bytes }: { bytes: number }) => {
      credit += bytes;
    },
  };
  return { pid: pid as Pid<unknown>, heard: () => got.flatMap(textsOf), credit: () => credit };
}

/** A format that carries texts, and whose next bytes cannot be made when it is told so. */
function brittle(name: string): Format & { fails: boolean } {
  const format = {
    ...formatOf(name),
    fails: false,
    assemble(parts: Parameters<Format['assemble']>[0]) {
      if (format.fails) {
        format.fails = false;
        throw new Error('no bytes');
      }
      return formatOf(name).assemble(parts);
    },
  };
  return format;
}

function world() {
  const members = new Members<Pid<Delivery>, number>();
  const accounting = new Accounting();
  const fanOut = new FanOut({ realm: 'main', name: 't', isOrdered: false }, null, members);
  const turn = { accounting, uplink: null, keys: new Keys(), now: () => 0 };
  const publisher = fake(0);
  const publish = (text: string, via: Publish['via'] = null) =>
    fanOut.push({ type: 'publish', message: textMessage(text), from: publisher.pid, credit: 1, via });
  return { members, accounting, fanOut, turn, publisher, publish };
}

test('what came from another relay goes to local members alone, and what nobody gets is unheard', (t) => {
  const { members, accounting, fanOut, turn, publish } = world();
  const [local, relay] = [fake(1), fake(2)];
  members.add(relay.pid, { ...formatOf('relay'), remote: true }, 0);
  publish('from there', { node: 'there', epoch: 0 });
  fanOut.run(turn);
  t.is(accounting.lost.unheard, 1);
  members.add(local.pid, formatOf('local'), 0);
  publish('from there', { node: 'there', epoch: 0 });
  publish('from here');
  t.false(fanOut.run(turn));
  t.deepEqual(local.heard(), ['from there', 'from here']);
  t.deepEqual(relay.heard(), ['from here']);
  t.is(accounting.messages, 3);
  t.is(fanOut.messages, 3);
  t.is(fanOut.attempts, 3);
});

test('of messages with one key that are published here the first alone is sent; from another relay each is, and its key counts here', (t) => {
  const { members, fanOut, turn, publisher } = world();
  const local = fake(1);
  members.add(local.pid, formatOf('local'), 0);
  const push = (text: string, key: string, via: Publish['via']) =>
    fanOut.push({ type: 'publish', message: textMessage(text), from: publisher.pid, credit: 1, via, key });
  const there = { node: 'there', epoch: 0 };
  push('one', 'k', null);
  push('one again', 'k', null);
  push('from there', 'k', there);
  push('two from there', 'l', there);
  push('two', 'l', null);
  while (fanOut.queue.length > 0) fanOut.run(turn);
  push('two again', 'l', null);
  fanOut.run(turn);
  t.deepEqual(local.heard(), ['one', 'from there', 'two from there']);
  t.is(publisher.credit(), 6);
});

test('only a member can be behind, and nothing is ready until it has been let go', (t) => {
  const { members, fanOut, publish } = world();
  const [member, stranger] = [fake(1), fake(2)];
  members.add(member.pid, formatOf('local'), 0);
  t.false(fanOut.isReady);
  publish('one');
  fanOut.fallBehind(stranger.pid);
  t.true(fanOut.isReady);
  fanOut.fallBehind(member.pid);
  t.false(fanOut.isReady);
  fanOut.letGo(member.pid);
  t.true(fanOut.isReady);
});

const act = fc.oneof(
  { weight: 6, arbitrary: fc.constant('publish' as const) },
  { weight: 1, arbitrary: fc.constantFrom('poison' as const, 'undeliverable' as const, 'nothing' as const) },
  { weight: 1, arbitrary: fc.constantFrom('red fails' as const, 'blue fails' as const) },
  { weight: 4, arbitrary: fc.constant('run' as const) },
);

test('wherever a fan-out crashes, the next goes on: each message once, in order, all credit and counts', (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const { members, accounting, fanOut, turn, publisher, publish } = world();
      const [a, b, c] = [fake(1), fake(2), fake(3)];
      const [red, blue] = [brittle('red'), brittle('blue')];
      members.add(a.pid, red, 0);
      members.add(b.pid, blue, 0);
      members.add(c.pid, blue, 0);
      let sent = 0;
      let poisons = 0;
      const run = () => {
        while (fanOut.queue.length > 0) {
          try {
            fanOut.run(turn);
          } catch {
            // As a server that crashes and its successor.
            fanOut.resume(turn);
          }
        }
      };
      for (const what of acts) {
        if (what === 'run') run();
        else if (what === 'red fails') red.fails = true;
        else if (what === 'blue fails') blue.fails = true;
        else {
          publish(`${what}${sent++}`);
          if (what === 'poison') poisons++;
        }
      }
      run();
      assert.equal(publisher.credit(), sent);
      assert.equal(accounting.messages, sent);
      assert.equal(accounting.lost.crash, poisons);
      assert.deepEqual(b.heard(), c.heard());
      for (const one of [a, b]) {
        const numbers = one.heard().map((text) => Number(text.slice('publish'.length)));
        assert.ok(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number)));
      }
      const heard = a.heard().length + b.heard().length + c.heard().length;
      accounting.deliver(heard);
      assert.ok(isBalanced(accounting));
      assert.ok(acts.some((what) => what.endsWith('fails')) || accounting.dropped.crash === 0);
    }),
    { numRuns: 500 },
  );
  t.pass();
});
