import test from 'ava';
import fc from 'fast-check';
import { decodeOnce, segments, splitTarget } from '../../src/door/request-path.ts';

test('a target is split at its first question mark', (t) => {
  t.deepEqual(splitTarget('/a?b?c'), { path: '/a', query: 'b?c' });
  t.deepEqual(splitTarget('/a?'), { path: '/a', query: '' });
  t.deepEqual(splitTarget('/a'), { path: '/a', query: '' });
  t.deepEqual(splitTarget('?'), { path: '', query: '' });
});

test('escapes are decoded once', (t) => {
  t.is(decodeOnce('/a%20b%2Fc'), '/a b/c');
  t.is(decodeOnce('%2541'), '%41');
  t.is(decodeOnce('%C3%A9%f0%9f%98%80'), 'é😀');
  t.is(decodeOnce('a+b'), 'a+b');
  t.is(decodeOnce('%00'), '\0');
});

test('nothing is folded', (t) => {
  for (const path of ['//', '/.', '/../a', '/a\\b', '/a\tb', '/a/./b//']) t.is(decodeOnce(path), path);
  t.is(decodeOnce('/%2e%2e/%2E'), '/../.');
});

test('malformed escapes are errors', (t) => {
  for (const path of ['%', '%4', '%zz', '%4g', 'a%', '%%41', '%u0041']) t.is(decodeOnce(path), null);
});

test('what is not UTF-8 is an error', (t) => {
  const invalid = ['%ff', '%c3', '%c3%28', '%c0%af', '%ed%a0%80', '%f4%90%80%80', '%e0%80%80', '%80'];
  for (const path of invalid) t.is(decodeOnce(path), null);
});

test('unescaped bytes are read as UTF-8, and must be it', (t) => {
  t.is(decodeOnce(Buffer.from('/é😀').toString('latin1')), '/é😀');
  t.is(decodeOnce('/\u00ff'), null);
  t.is(decodeOnce('/\u00c3%A9'), '/é');
});

test('a character that is no byte is an error, whatever follows it', (t) => {
  t.is(decodeOnce('\u0100'), null);
  t.is(decodeOnce('\u010041'), null);
  t.is(decodeOnce('😀'), null);
});

test('what was encoded comes back', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      t.is(decodeOnce(encodeURIComponent(text)), text);
      t.is(decodeOnce(Buffer.from(text.replaceAll('%', '%25')).toString('latin1')), text);
    }),
  );
});

test('every byte escaped by hand comes back, or is no UTF-8', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
      const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      const decoded = decodeOnce(escaped);
      let expected: string | null = null;
      try {
        expected = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        // Not UTF-8.
      }
      t.is(decoded, expected);
    }),
  );
});

test('a path is split before it is decoded', (t) => {
  t.deepEqual(segments('/a%2Fb/c'), ['a/b', 'c']);
  t.deepEqual(segments('/'), ['']);
  t.deepEqual(segments('/a//b/'), ['a', '', 'b', '']);
  t.deepEqual(segments('/a/%zz/b'), ['a', null, 'b']);
});
