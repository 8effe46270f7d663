import test from 'ava';
import fc from 'fast-check';
import {
  acceptsEventStream,
  comeBackLater,
  eventStreamFormat,
  eventStreamKeepalive,
  eventStreamOpening,
} from '../../../src/door/pinghub/event-stream.ts';
import { textReply, tooManyAttempts, unavailable } from '../../../src/door/replies.ts';
import type { Position } from '../../../src/topic/position.ts';

function stream(...messages: readonly string[]): string {
  return rendered(messages.map((message) => [message, null]));
}

const at = (offset: number): Position => ({ epoch: '1abcdef', offset });

function rendered(messages: readonly (readonly [message: string, at: Position | null])[]): string {
  const parts = messages.map(([message, position]) =>
    eventStreamFormat.render({ kind: 'text', payload: Buffer.from(message) }, 'p', position),
  );
  return eventStreamFormat.assemble(parts.filter((part) => typeof part !== 'string')).toString();
}

/** What a browser dispatches (HTML standard, section 9.2.6), for streams of data and comments. */
function dispatched(bytes: string): string[] {
  const events: string[] = [];
  let data = '';
  for (const line of bytes.split(/\r\n|\r|\n/)) {
    if (line === '') {
      if (data !== '') events.push(data.slice(0, -1));
      data = '';
    } else if (line.startsWith('data:')) data += `${line.slice(line[5] === ' ' ? 6 : 5)}\n`;
    else if (!/^(:|retry: \d+$)/.test(line)) throw new Error(`not a field: ${line}`);
  }
  return events;
}

test('a message is an event', (t) => {
  t.is(stream('hi'), 'data: hi\n\n');
  t.is(stream('a', 'b'), 'data: a\n\ndata: b\n\n');
});

test('the position of a message is its id, before all else', (t) => {
  t.is(
    rendered([
      ['a\nb', at(7)],
      ['c', at(8)],
      ['d', null],
    ]),
    'id: 1abcdef:7\ndata: a\ndata: b\n\nid: 1abcdef:8\ndata: c\n\ndata: d\n\n',
  );
});

test('a gap is an event of its own name, with the number that is missing, or null', (t) => {
  const told = (missed: number | null, to: Position | null) =>
    eventStreamFormat.assemble([eventStreamFormat.gap('p', { missed, to })]).toString();
  t.is(told(3, at(9)), 'id: 1abcdef:9\nevent: missed\ndata: 3\n\n');
  t.is(told(null, null), 'event: missed\ndata: null\n\n');
});

test('where nothing is kept there are no positions and no gaps', (t) => {
  const { unkept } = eventStreamFormat;
  const part = unkept?.render({ kind: 'text', payload: Buffer.from('a') }, 'p', at(1));
  t.is(typeof part === 'object' ? unkept?.assemble([part]).toString() : part, 'data: a\n\n');
  t.is(unkept?.gap, undefined);
});

test('a position alone is no event for a page', (t) => {
  t.is(eventStreamFormat.assemble([eventStreamFormat.place(at(0))]).toString(), 'id: 1abcdef:0\n\n');
});

test('every kind of line break begins a new data line', (t) => {
  t.is(stream('a\nb\rc\r\nd\n\ne'), 'data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n');
});

test('a browser gets the messages, with line feeds for all line breaks', (t) => {
  const message = fc.string({
    unit: fc.constantFrom('a', ' ', ':', '\n', '\r', 'é', 'data: '),
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      t.deepEqual(
        dispatched(`${eventStreamOpening(0.5)}${eventStreamKeepalive}${stream(...messages)}`),
        messages.map((text) => text.replace(/\r\n|\r/g, '\n')),
      );
    }),
  );
});

test('a stream carries what a WebSocket of the door does', (t) => {
  t.is(eventStreamFormat.render({ kind: 'text', payload: Buffer.alloc(0) }, 'p', null), 'nothing');
  t.is(
    eventStreamFormat.render({ kind: 'binary', payload: Buffer.from([0xff]) }, 'p', null),
    'undeliverable',
  );
});

test('a stream is wanted by those who name it', (t) => {
  for (const accept of [
    'text/event-stream',
    'TEXT/event-stream',
    'text/html, text/event-stream;q=0.9',
    'text/event-stream , */*',
  ]) {
    t.true(acceptsEventStream(accept), accept);
  }
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/*',
    'text/event-streams',
    'xtext/event-stream',
    'a/b;x=text/event-stream',
    'text/event-stream;q=0',
    'text/html, text/event-stream ; q=0.000',
  ]) {
    t.false(acceptsEventStream(accept), accept);
  }
});

test('a stream begins with a comment, and browsers come back within one second to five, spread', (t) => {
  t.is(String(eventStreamOpening(0)), ':\nretry: 1000\n\n');
  t.is(String(eventStreamOpening(0.5)), ':\nretry: 3000\n\n');
  t.is(String(eventStreamOpening(1)), ':\nretry: 5000\n\n');
});

test('a refusal that may be over soon is a stream that says why, and when to come back', (t) => {
  const { status, headers, body } = comeBackLater(unavailable, 0);
  t.is(status, 200);
  t.like(headers, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Retry-After': '1' });
  t.is(body, ': Service Unavailable\nretry: 1000\n\n');
  t.is(comeBackLater(unavailable, 1).body, ': Service Unavailable\nretry: 5000\n\n');
  t.regex(comeBackLater(tooManyAttempts, 0).body, /retry: 60000\n\n$/);
  t.regex(comeBackLater(tooManyAttempts, 1).body, /retry: 120000\n\n$/);
  t.regex(comeBackLater(textReply(503, 'x'), 0).body, /retry: 1000\n\n$/, 'without a time of its own');
});
