import type { TestFn } from 'ava';
import fc from 'fast-check';
import type { Command, Door, Event, Route, Session } from '../../src/door/contract.ts';
import { jsonMessage } from '../../src/topic/json-message.ts';
import type { Message } from '../../src/topic/message.ts';
import { doorRequest, type RequestParts } from '../door/door-request.ts';

/** One kind of connection that a door opens. */
export interface Opening {
  readonly name: string;
  readonly request: RequestParts;
}

type Open = Extract<Route, { readonly type: 'open' }>;

/** What holds for every door, whatever its protocol. */
export function doorContract(test: TestFn, door: Door, openings: readonly Opening[]): void {
  for (const { name, request } of openings) {
    const open = () => opened(door, request);
    const title = (what: string) => `${door.name}, ${name}: ${what}`;

    test(title('the request opens a connection'), (t) => {
      const { transport, format } = open();
      t.is(transport === 'exchange', request.method === 'POST');
      if (transport === 'exchange') t.is(format, null);
    });

    test(title('two connections of one kind have the same format object'), (t) => {
      t.is(open().format, open().format);
    });

    test(title('no events make it throw, and the commands come in an order that can be performed'), (t) => {
      fc.assert(
        fc.property(fc.array(anyEvent, { maxLength: 12 }), (events) => {
          const { transport, session } = open();
          const faults = faultsOf(transport, commandsOf(session, events));
          t.deepEqual(faults, []);
        }),
        { numRuns: 200 },
      );
    });

    test(title('sessions are values: a step leaves its session as it was'), (t) => {
      fc.assert(
        fc.property(fc.array(anyEvent, { maxLength: 6 }), anyEvent, anyEvent, (events, event, other) => {
          const session = after(open().session, events);
          const first = session.step(event);
          // The next session goes on, and the one before it does not notice.
          first[0].step(other);
          session.step(other);
          t.deepEqual(session.step(event), first);
        }),
        { numRuns: 100 },
      );
    });

    test(title('starting twice is starting the same'), (t) => {
      const { session } = open();
      t.deepEqual(session.start(), session.start());
    });

    test(title('after a close or a reply nothing has an effect'), (t) => {
      let endings = 0;
      fc.assert(
        fc.property(
          fc.array(anyEvent, { maxLength: 12 }),
          fc.array(anyEvent, { minLength: 1 }),
          (events, later) => {
            let session = open().session;
            for (const event of events) {
              const [next, commands] = session.step(event);
              session = next;
              if (!commands.some(isEnd)) continue;
              endings++;
              t.deepEqual(commandsOf(session, later).slice(1).flat(), []);
              return;
            }
          },
        ),
        { numRuns: 200 },
      );
      t.true(endings > 20);
    });

    for (const event of refusals) {
      const what = event.type === 'refused' ? `${event.action} ${event.why}` : event.type;
      test(title(`a refusal before the accept is a reply: ${what}`), (t) => {
        for (const way of waysToAccept) {
          const { session } = open();
          if (
            commandsOf(session, way)
              .flat()
              .some(({ type }) => type === 'accept')
          )
            continue;
          const commands = after(session, way).step(event)[1];
          t.false(commands.some(({ type }) => type === 'close' || type === 'send' || type === 'accept'));
          for (const command of commands) if (command.type === 'reply') t.true(command.status >= 400);
        }
        t.pass();
      });
    }

    test(title('an answer of the relay fails nobody silently'), (t) => {
      const { session } = open();
      const asked = session.start().map(({ type }) => type);
      if (asked.includes('authorise')) t.true(session.step(notAuthorised)[1].some(isEnd));
      if (asked.includes('authorise')) t.true(session.step({ type: 'unavailable' })[1].some(isEnd));
      if (asked.includes('join')) {
        for (const event of refusals) {
          if (event.type === 'refused' && event.action === 'join') t.true(session.step(event)[1].some(isEnd));
        }
      }
      t.pass();
    });
  }

  test(`${door.name}: no request makes it throw, and refusals are HTTP`, (t) => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const route = door.route(doorRequest(request));
        if (route.type === 'reply') t.true(route.status >= 200 && route.status < 600);
        else if (route.transport === 'websocket') t.true(request.upgrade);
      }),
      { numRuns: 500 },
    );
  });

  test(`${door.name}: a method that is not its own is told those that are`, (t) => {
    const target = openings[0]?.request.target ?? '/';
    const route = door.route(doorRequest({ target, method: 'DELETE' }));
    t.like(route, { type: 'reply', status: 405 });
    t.regex((route.type === 'reply' && new Headers(route.headers).get('Allow')) || '', /\bGET\b/);
  });
}

/** What every format must do, with whatever message of whatever door. */
export function formatContract(test: TestFn, door: Door, openings: readonly Opening[]): void {
  for (const { name, request } of openings) {
    const { format } = opened(door, request);
    if (format === null) continue;
    test(`${door.name}, ${name}: every message is rendered or refused, and nothing throws`, (t) => {
      fc.assert(
        fc.property(
          fc.array(anyMessage, { maxLength: 5 }),
          fc.string(),
          anyPosition,
          (messages, topic, at) => {
            const parts = messages
              .map((message) => format.render(message, topic, at))
              .filter((part) => typeof part !== 'string');
            t.true(Buffer.isBuffer(format.assemble(parts)));
            const one = parts.map((part) => format.assemble([part]));
            t.true(format.assemble(parts).equals(Buffer.concat(one)));
          },
        ),
      );
    });
  }
}

function opened(door: Door, request: RequestParts): Open {
  const route = door.route(doorRequest(request));
  if (route.type !== 'open') throw new Error(`${door.name} refused with ${route.status}`);
  return route;
}

function after(session: Session, events: readonly Event[]): Session {
  return events.reduce((current, event) => current.step(event)[0], session);
}

function commandsOf(session: Session, events: readonly Event[]): (readonly Command[])[] {
  const all = [session.start()];
  let current = session;
  for (const event of events) {
    const [next, commands] = current.step(event);
    all.push(commands);
    current = next;
  }
  return all;
}

function isEnd({ type }: Command): boolean {
  return type === 'close' || type === 'reply';
}

/** Breaches of the order in which commands make sense: `send` and `close` after the accept, `reply` before it. */
function faultsOf(transport: Open['transport'], turns: readonly (readonly Command[])[]): string[] {
  const faults: string[] = [];
  let accepted = false;
  let ended = false;
  for (const { type } of turns.flat()) {
    if (ended) faults.push(`${type} after the end`);
    if (type === 'accept' && (accepted || transport === 'exchange')) faults.push('accept out of place');
    if (type === 'reply' && accepted) faults.push('reply after accept');
    if ((type === 'send' || type === 'close') && !accepted) faults.push(`${type} before accept`);
    if (type === 'publish' && !accepted && transport !== 'exchange') faults.push('publish before accept');
    accepted ||= type === 'accept';
    ended ||= type === 'close' || type === 'reply';
  }
  return faults;
}

const topic = 'd/t';
const position = { epoch: '1abcdef', offset: 1 };
const notAuthorised: Event = { type: 'authorised', granted: false };
const whys = ['forbidden', 'missing', 'owned', 'too-many', 'unavailable'] as const;
const actions = ['join', 'claim', 'publish'] as const;

const refusals: readonly Event[] = [
  notAuthorised,
  { type: 'unavailable' },
  ...actions.flatMap((action) => whys.map((why) => ({ type: 'refused', action, topic, why }) as const)),
];

/** The states of a session before its accept. */
const waysToAccept: readonly (readonly Event[])[] = [[], [{ type: 'authorised', granted: true }]];

const anyBytes = fc.oneof(
  fc
    .constantFrom(
      '',
      'x',
      '{"type":"authorize","authorization":"a"}',
      '{"type":"subscribe","channel":"c"}',
      '{"type":"unsubscribe","channel":"c"}',
      '{"type":"publish","channel":"c","content":1}',
      '{"type":"publish","channel":"c","content":1,"id":1,"key":"k"}',
      '{"type":"publish","channel":"c","content":1,"id":{}}',
      '{"type":"subscribe","channel":"c","since":"1abcdef:1"}',
      '{"type":"subscribe","channel":"","since":5}',
      '{"type":"subscribe","pattern":"c*"}',
      '{"type":"unsubscribe","pattern":"c*"}',
      '{"type":"ping"}',
      '{"type":"pong"}',
    )
    .map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
);
const invalidBytes = fc.constantFrom(Buffer.from([0xff]), Buffer.from([0xc3, 0x28]));

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  anyBytes.map((payload) => ({ type: 'text', payload }) as const),
  fc.oneof(anyBytes, invalidBytes).map((payload) => ({ type: 'binary', payload }) as const),
  fc.oneof(anyBytes, invalidBytes).map((payload) => ({ type: 'body', payload }) as const),
  fc.boolean().map((granted) => ({ type: 'authorised', granted }) as const),
  fc.constantFrom(
    { type: 'authorised', granted: true, subject: 'u', expiresIn: 1 } as const,
    { type: 'authorised', granted: true, unrecognised: true } as const,
    { type: 'unavailable', attempt: { action: 'join', topic } } as const,
    { type: 'faulty', attempt: { action: 'publish', topic, receipt: '1' } } as const,
    { type: 'joined', topic, from: position, at: position, recovered: true } as const,
    { type: 'joined', topic, recovered: false, missed: null, why: 'unknown_epoch' } as const,
    { type: 'published', topic, receipt: '1', at: position } as const,
    { type: 'gap', topic, from: null, to: position, missed: 1, why: 'link' } as const,
    { type: 'leaving', within: 1 } as const,
  ),
  fc.constantFrom('joined', 'claimed', 'published', 'ended').map((type) => ({ type, topic }) as const),
  fc.constantFrom(...refusals),
);

const anyPosition = fc.constantFrom(position, null);

const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  anyBytes.map((payload) => ({ kind: 'text', payload }) as const),
  fc.oneof(anyBytes, invalidBytes).map((payload) => ({ kind: 'binary', payload }) as const),
  anyBytes.map((payload) => jsonMessage(payload)),
);

const anyRequest: fc.Arbitrary<RequestParts & { readonly upgrade: boolean }> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'x'),
  target: fc
    .array(fc.constantFrom('/', 'ws', 'pub', 'sub', 'a', '%2F', '%', '%ff', '\u00ff', '?', '<', '..'), {
      maxLength: 12,
    })
    .map((pieces) => pieces.join('')),
  upgrade: fc.boolean(),
  headers: fc.dictionary(
    fc.constantFrom('origin', 'accept', 'authorization'),
    fc.constantFrom('', 'null', 'text/event-stream', 'Bearer x', 'Basic x', 'https://example.com'),
  ),
});
