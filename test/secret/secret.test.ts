import test from 'ava';
import { Hidden } from '../../src/secret/hidden.ts';
import { entriesOf, sha256 } from '../../src/secret/secret.ts';
import { printed } from '../authenticator/asker.ts';

test('the hash is the SHA-256 of the UTF-8 text', (t) => {
  t.is(sha256('abc').toString('hex'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.deepEqual(sha256('é'), sha256(Buffer.from([0xc3, 0xa9]).toString()));
  t.is(sha256('').length, 32);
});

test('all entries with the hash are found, wherever they stand', (t) => {
  const entries = ['a', 'b', 'a', 'c'].map((text, index) => ({ sha256: sha256(text), index }));
  t.deepEqual(
    entriesOf(entries, 'a').map(({ index }) => index),
    [0, 2],
  );
  t.deepEqual(entriesOf(entries, 'd'), []);
});

test('a hidden value is given to who asks for it, and to nobody who prints it', (t) => {
  const secret = { authorization: 'open sesame' };
  const hidden = new Hidden(secret);
  t.is(hidden.reveal(), secret);
  for (const text of [printed({ hidden }), `${hidden}`, JSON.stringify({ hidden })]) {
    t.notRegex(text, /open sesame/);
    t.regex(text, /\[hidden\]|\[object/);
  }
  t.deepEqual(Object.getOwnPropertyNames(hidden), []);
});
