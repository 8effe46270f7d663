import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { parseKeyFile } from '../../src/config/api-keys.ts';
import { formatError } from '../../src/config/config-error.ts';

const hash = (text: string) => createHash('sha256').update(text).digest();
const hex = (text: string) => hash(text).toString('hex');

function faults(text: string): string[] {
  const result = parseKeyFile(text, 'apikeys.yaml');
  return result.ok ? [] : result.errors.map(formatError);
}

test('a file holds domains, user names and the hashes of keys', (t) => {
  const text = `# Ours.
- { domain: example.com, username: ada@example.com, sha256: ${hex('a')}, created: 2026-01-31T12:00:00.000Z }
- domain: 0123
  sha256: ${hex('b').toUpperCase()}
`;
  t.deepEqual(parseKeyFile(text, 'apikeys.yaml'), {
    ok: true,
    keys: [
      {
        domain: 'example.com',
        username: 'ada@example.com',
        sha256: hash('a'),
        created: '2026-01-31T12:00:00.000Z',
      },
      { domain: '0123', username: '0123', sha256: hash('b'), created: null },
    ],
  });
});

test('an empty file holds no keys', (t) => {
  for (const text of ['', '# nobody\n', '[]', '---\n'])
    t.deepEqual(parseKeyFile(text, 'f'), { ok: true, keys: [] });
});

test('every fault is told with its place, and none with what stands there', (t) => {
  const text = `- { domain: a, key: hunter2 }
- { domain: a }
- { domain: a/b, sha256: ${hex('x')} }
- { domain: b, sha256: hunter2 }
- { hunter2: b }
- hunter2
`;
  t.deepEqual(faults(text), [
    'apikeys.yaml:1:16 keys[0]: unknown key; known here: domain, username, sha256, created',
    'apikeys.yaml:2:3 keys[1]: a domain and the hash of its key: { domain: example.com, username: …, sha256: … }',
    'apikeys.yaml:3:13 keys[2].domain: a domain of at most 64 characters without a slash, or null',
    'apikeys.yaml:4:24 keys[3].sha256: the SHA-256 of a key: 64 hex digits, or null',
    'apikeys.yaml:5:5 keys[4]: unknown key; known here: domain, username, sha256, created',
    'apikeys.yaml:6:3 keys[5]: a map of keys: domain, username, sha256, created',
  ]);
  t.deepEqual(faults('a: b'), ['apikeys.yaml:1:1 keys: a list of API keys']);
  t.deepEqual(faults('- "hunter2'), [
    'apikeys.yaml:1:11 yaml: a bracket, quote, colon, comma or space that is missing here',
  ]);
});

test('a domain has one key, and a key one domain', (t) => {
  const one = (domain: string, key: string) => `- { domain: ${domain}, sha256: ${hex(key)} }\n`;
  t.deepEqual(faults(one('a', 'x') + one('a', 'y')), [
    'apikeys.yaml:2:3 keys[1]: one key for each domain; this domain has one already',
  ]);
  t.deepEqual(faults(one('a', 'x') + one('b', 'x')), [
    'apikeys.yaml:2:3 keys[1]: a key of its own; another domain has this one already',
  ]);
  t.deepEqual(faults(one('a', 'x') + one('b', 'y')), []);
});

test('whatever stands in a file, reading it does not throw', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('-', ' ', '\n', ':', '{', '}', '[', '"', 'a', '&', '*', '!') }),
      (text) => {
        parseKeyFile(text, 'f');
      },
    ),
  );
  t.pass();
});
