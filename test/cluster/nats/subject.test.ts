import test from 'ava';
import fc from 'fast-check';
import { decodeToken, encodeToken, subjects, topicOfSubject } from '../../../src/cluster/nats/subject.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('.', '*', '>', '%', ' ', '\t', '\r', '\n', '\0', '$', 'a', '2', 'E', 'ü', '🦆'),
  }),
);

test('a token is plain characters, and comes back as its text', (t) => {
  fc.assert(
    fc.property(text, (one) => {
      const token = encodeToken(one);
      t.regex(token, /^(%|([A-Za-z0-9_-]|%[0-9A-F]{2})+)$/);
      t.is(decodeToken(token), one);
    }),
  );
});

test('what is no token of a text is none at all', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('%', '2', 'e', 'E', '4', '1', 'C', '3', '.', ' ') }),
      (token) => {
        const decoded = decodeToken(token);
        if (decoded !== null) t.is(encodeToken(decoded), token);
      },
    ),
  );
  for (const token of ['', '%4', '%41', '%2e', 'a.b', 'a b', '%FF', '%C3', '%ED%A0%80', '%%'])
    t.is(decodeToken(token), null, token);
});

test('a topic has a subject of its own, which names it', (t) => {
  fc.assert(
    fc.property(text, text, text, text, (realm, name, otherRealm, otherName) => {
      const subject = subjects('a.b').topic({ realm, name });
      t.deepEqual(topicOfSubject('a.b', subject), { realm, name });
      const other = subjects('a.b').topic({ realm: otherRealm, name: otherName });
      t.is(subject === other, realm === otherRealm && name === otherName);
    }),
  );
});

test('subjects are as documented', (t) => {
  const { topic, relays, hello, relay } = subjects('fanfare');
  t.is(topic({ realm: 'main', name: 'orders.eu/1 *' }), 'fanfare.topic.main.orders%2Eeu%2F1%20%2A');
  t.is(topic({ realm: 'a.b', name: '' }), 'fanfare.topic.a%2Eb.%');
  t.deepEqual([relays, hello, relay('0f')], ['fanfare.relays', 'fanfare.relays.hello', 'fanfare.relay.0f']);
});

test('subjects of other kinds and prefixes are no topics', (t) => {
  for (const subject of [
    'fanfare.relays',
    'fanfare.topic',
    'fanfare.topic.a',
    'fanfare.topic.a.b.c',
    'x.topic.a.b',
  ])
    t.is(topicOfSubject('fanfare', subject), null, subject);
});

test('the longest names fit into a line of a server', (t) => {
  const subject = subjects('p'.repeat(64)).topic({ realm: '.'.repeat(64), name: '🦆'.repeat(256) });
  // HPUB, two sizes and the end of the line; HMSG has a number too.
  t.true(subject.length + 64 <= 4096, String(subject.length));
});
