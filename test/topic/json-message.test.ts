import test from 'ava';
import fc from 'fast-check';
import { contentOf, jsonMessage } from '../../src/topic/json-message.ts';

function content(frame: string): string | null {
  return contentOf(Buffer.from(frame))?.toString() ?? null;
}

test('a string content is its text', (t) => {
  t.is(content('{"type":"publish","channel":"c","content":"hé😀"}'), 'hé😀');
  t.is(content('{"content":""}'), '');
  t.is(content(String.raw`{"content":"a\"b\\"}`), 'a"b\\');
  t.is(content(String.raw`{"content":"\u00e9\ud83d\ude00\n\u0000"}`), 'é😀\n\0');
  t.is(content(String.raw`{"content":"\\","a":1}`), '\\');
});

test('any other content is its JSON text as it was sent', (t) => {
  for (const json of [
    '123456789012345678901234567890',
    '1.0',
    '-0',
    '1E400',
    'true',
    'null',
    '[ 1 ,\t2 ]',
    '{}',
    '[]',
  ]) {
    t.is(content(`{"content":${json}}`), json);
    t.is(content(`{ "content" : ${json} , "x":1}`), json);
  }
  t.is(
    content('{"content":{"b":1, "a":"}]","content":{"x":[{}]}}}'),
    '{"b":1, "a":"}]","content":{"x":[{}]}}',
  );
});

test('there is no content where none was sent', (t) => {
  t.is(content('{"type":"publish","channel":"c"}'), null);
  t.is(content('{}'), null);
});

test('only the content of the frame itself counts', (t) => {
  t.is(content('{"a":{"content":1},"b":[{"content":2}],"c":"\\"content\\":3"}'), null);
  t.is(content('{"a":{"content":1},"content":2,"b":{"content":3}}'), '2');
});

test('of several the last counts', (t) => {
  t.is(content('{"content":1,"content":"x","content":[3]}'), '[3]');
  t.is(content(String.raw`{"content":1,"\u0063ontent":2}`), '2');
});

test('a key may be escaped in any way', (t) => {
  t.is(content(String.raw`{"\u0063ontent":1}`), '1');
  t.is(content(String.raw`{"\u0063\u006F\u006e\u0074\u0065\u006E\u0074":1}`), '1');
});

test('a key that only looks like it is another', (t) => {
  for (const key of [
    'Content',
    'contents',
    'conten',
    'content ',
    String.raw`content\n`,
    String.raw`\\u0063ontent`,
  ]) {
    t.is(content(`{"${key}":1}`), null, key);
  }
});

test('a lone surrogate becomes U+FFFD', (t) => {
  t.is(content(String.raw`{"content":"a\ud800b"}`), 'a\ufffdb');
});

test('what needs no decoding is a view of the frame', (t) => {
  for (const frame of ['{"content":"abc"}', '{"content":[1]}']) {
    const bytes = Buffer.from(frame);
    const found = contentOf(bytes);
    t.is(found?.buffer, bytes.buffer);
  }
});

test('what is not a JSON object throws nothing', (t) => {
  const odd = [
    '',
    ' ',
    '[]',
    '1',
    '{',
    '{"',
    '{"content',
    '{"content"',
    '{"content":',
    '{"content":"',
    '{"content":"\\"}',
  ];
  for (const frame of odd) t.notThrows(() => content(frame), frame);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'{}[]":,\\ "content" 1u'), { maxLength: 40 }), (pieces) => {
      t.notThrows(() => content(pieces.join('')));
    }),
  );
});

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 2 });

/** A string as JSON, some of its characters escaped although they need not be. */
function quoted(string: string, escapeEach: readonly boolean[]): string {
  const units = string.split('').map((unit, index) => {
    if (escapeEach[index % Math.max(1, escapeEach.length)] !== true) return unit;
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  // Halves of a pair that went different ways are escaped by JSON.stringify.
  return units.map((unit) => (unit.length > 1 ? unit : JSON.stringify(unit).slice(1, -1))).join('');
}

function jsonText(value: unknown, pad: () => string, escapes: readonly boolean[]): string {
  const text = (inner: unknown): string => {
    if (typeof inner === 'string') return `"${quoted(inner, escapes)}"`;
    if (Array.isArray(inner))
      return `[${pad()}${inner.map((item) => text(item)).join(`${pad()},${pad()}`)}${pad()}]`;
    if (typeof inner === 'object' && inner !== null) {
      const fields = Object.entries(inner).map(([key, item]) => `${text(key)}${pad()}:${pad()}${text(item)}`);
      return `{${pad()}${fields.join(`${pad()},${pad()}`)}${pad()}}`;
    }
    return JSON.stringify(inner);
  };
  return text(value);
}

test('the content is that of JSON.parse, whatever the spelling', (t) => {
  const key = fc.oneof(fc.constantFrom('content', 'type', 'channel', '__proto__', 'conten'), fc.string());
  const fields = fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })), {
    maxLength: 6,
  });
  const escapes = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
  const paddings = fc.array(space, { minLength: 1, maxLength: 7 });
  let found = 0;
  fc.assert(
    fc.property(fields, escapes, paddings, (entries, escapeEach, spaces) => {
      let turn = 0;
      const pad = () => spaces[turn++ % spaces.length] ?? '';
      const inner = entries.map(
        ([name, value]) =>
          `${pad()}"${quoted(name, escapeEach)}"${pad()}:${pad()}${jsonText(value, pad, escapeEach)}${pad()}`,
      );
      const frame = `${pad()}{${inner.length === 0 ? pad() : inner.join(',')}}${pad()}`;
      const parsed = JSON.parse(frame) as { readonly content?: unknown };
      const got = content(frame);
      if (!Object.hasOwn(parsed, 'content')) {
        t.is(got, null);
        return;
      }
      found++;
      if (typeof parsed.content === 'string') t.is(got, Buffer.from(parsed.content).toString());
      else {
        t.deepEqual(JSON.parse(got ?? ''), parsed.content);
        t.true(frame.includes(got ?? ' '));
      }
    }),
    { numRuns: 300 },
  );
  t.true(found > 50);
});

test('a message keeps the frame itself, and finds its content', (t) => {
  const frame = Buffer.from('{"type":"publish","channel":"c","content":"x"}');
  const message = jsonMessage(frame);
  t.is(message.kind, 'json');
  t.is(message.payload, frame);
  t.is(message.kind === 'json' ? message.content()?.toString() : undefined, 'x');
});
