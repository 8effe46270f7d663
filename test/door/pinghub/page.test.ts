import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { escapeHtml, pageReply } from '../../../src/door/pinghub/page.ts';

const bodyOf = (path: string) => pageReply(path).body;

test('the page shows its path', (t) => {
  t.true(bodyOf('/somestring').includes('<bdi>/somestring</bdi>'));
  t.true(bodyOf('/somestring').includes('<title>/somestring'));
  t.true(bodyOf('/somestring').includes('<html>'));
});

test('a path is never markup', (t) => {
  const body = bodyOf('/<xss>');
  t.false(body.includes('<xss>'));
  t.true(body.includes('/&lt;xss&gt;'));
  t.false(bodyOf('/</title></script><script>alert(1)</script>').includes('alert(1)</script>'));
});

test('the page differs from that of another path in the escaped path alone', (t) => {
  const blank = bodyOf('');
  const [before = '', between = '', after = ''] = [
    blank.slice(0, blank.indexOf(' – pinghub')),
    blank.slice(blank.indexOf(' – pinghub'), blank.indexOf('</bdi>')),
    blank.slice(blank.indexOf('</bdi>')),
  ];
  const hostile = fc.string({
    unit: fc.oneof(fc.constantFrom('<', '>', '&', '"', "'", '/', '$&', '\0'), fc.string()),
  });
  fc.assert(
    fc.property(hostile, (path) => {
      const shown = escapeHtml(path);
      t.is(bodyOf(path), before + shown + between + shown + after);
      t.notRegex(shown, /[<>"']|\p{Cc}/u);
    }),
  );
});

test('what is escaped reads as it was', (t) => {
  const plain = new Map([
    ['&amp;', '&'],
    ['&lt;', '<'],
    ['&gt;', '>'],
    ['&quot;', '"'],
    ['&#39;', "'"],
  ]);
  fc.assert(
    fc.property(fc.string(), (path) => {
      t.is(
        escapeHtml(path).replace(/&[^;]+;/g, (entity) => plain.get(entity) ?? '?'),
        path,
      );
    }),
  );
});

test('the policy lets in the very script and style that are there, and no others', (t) => {
  const { headers, body } = pageReply('/p');
  const policy = new Headers(headers).get('Content-Security-Policy') ?? '';
  for (const tag of ['script', 'style']) {
    const found = [...body.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))];
    t.is(found.length, 1);
    const hash = createHash('sha256')
      .update(found[0]?.[1] ?? '')
      .digest('base64');
    t.true(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  t.true(policy.startsWith("default-src 'none'; connect-src 'self' ws: wss:;"));
  t.notRegex(policy, /unsafe/);
});

test('the page refers to nothing elsewhere', (t) => {
  const body = bodyOf('/p');
  t.notRegex(body, /(?:https?:)?\/\/[a-z]/i);
  t.notRegex(body, /\ssrc=|@import|url\(/);
  t.deepEqual(
    [...body.matchAll(/href="([^"]*)"/g)].map(([, href]) => href),
    ['data:,'],
  );
});

test('no handler or style stands in an attribute, where the policy would forbid it', (t) => {
  t.notRegex(bodyOf('/p'), /<[^>]*\s(?:on[a-z]+|style)=/);
});

test('the answer is not to be guessed at, kept, or named to others', (t) => {
  t.like(pageReply('/p').headers, {
    'Content-Type': 'text/html; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store, no-transform',
  });
});
