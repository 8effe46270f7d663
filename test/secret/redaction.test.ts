import { inspect } from 'node:util';
import test from 'ava';
import { Hidden } from '../../src/secret/hidden.ts';
import {
  isSecretName,
  OwnWords,
  redacted,
  redactForms,
  redacting,
  redactText,
} from '../../src/secret/redaction.ts';

const S = 'hunter2';

test('names under which secrets stand, and names that only look like them', (t) => {
  const secret = ['password', 'passwords', 'passphrase', 'pass', 'access_token', 'FANFARE_CLUSTER_TOKEN'];
  secret.push('network.secret', 'jwt_verification_key', 'apikeys', 'apiKeys', 'X-Api-Key', 'authorization');
  secret.push('Proxy-Authorization', 'authorisation', 'credentials', 'privateKey', 'sha256', 'Set-Cookie');
  secret.push('rawHeaders');
  for (const name of secret) t.true(isSecretName(name), name);
  const plain = [
    'failedAuthorisations',
    'failed-authorisations',
    'authenticator',
    'key',
    'bypassed',
    'reason',
  ];
  plain.push('address', 'subject', 'authorise', 'message_before_auth', 'apikeysFile');
  for (const name of plain) t.false(isSecretName(name), name);
});

for (const [what, text, shown] of [
  ['a header', `Authorization: Digest ${S}\r\nHost: a`, 'Authorization: [hidden]\r\nHost: a'],
  ['Bearer', `said Bearer ${S} to it`, 'said Bearer [hidden] to it'],
  ['Basic', 'basic dTpodW50ZXIy!', 'basic [hidden]!'],
  ['a header of subprotocols', `Sec-WebSocket-Protocol: bearer, ${S}`, 'Sec-WebSocket-Protocol: [hidden]'],
  ['a subprotocol', `offered pusu, bearer, ${S}, x`, 'offered pusu, bearer, [hidden], x'],
  ['a query', `GET /x?access_token=${S}&y=1`, 'GET /x?access_token=[hidden]'],
  ['a URL', `at postgres://u:p@${S}@h:5432/db now`, 'at postgres://[hidden]@h:5432/db now'],
  ['the path of a publisher', `"/ws/pub/${S}/d/t"`, '"/ws/pub/[hidden]/d/t"'],
  ['a topic of that name', `main/ws/pub/${S}/d/t`, 'main/ws/pub/[hidden]/d/t'],
  ['a token', 'was eyJhbGciOiJI.eyJzdWIiOiJ.c2lnbmF0 here', 'was [hidden] here'],
  ['a key', `-----BEGIN EC PRIVATE KEY-----\n${S}\n-----END EC PRIVATE KEY-----!`, '[hidden]!'],
  ['half a key', `-----BEGIN PRIVATE KEY-----\n${S}`, '[hidden]'],
  [
    'a frame of PuSu',
    `{"type":"authorize","authorization":"${S} \\" ${S}","x":1}`,
    '{"type":"authorize","authorization":"[hidden]","x":1}',
  ],
  [
    'a frame in a text in a text',
    JSON.stringify([JSON.stringify({ token: `${S}"${S}` }), 'after']),
    JSON.stringify(['{"token":"[hidden]"}', 'after']),
  ],
  ['a flag', `--set cluster.password=${S} it's, "${S}"`, '--set cluster.password=[hidden]"'],
  ['a flag with a list', `apikeys.list=[{domain: d, key: ${S}}] b`, 'apikeys.list=[hidden] b'],
  ['a map', `passwords: {"a}": [${S}], ${S}: ["*"]}, b: 1`, 'passwords: [hidden], b: 1'],
  ['what is cut off', `secret: { a: [${S}, `, 'secret: [hidden]'],
  ['an element', `passwords[0]: ${S}`, 'passwords[0]: [hidden]'],
] as const)
  test(`hidden in a text: ${what}`, (t) => {
    t.is(redactText(text), shown);
    t.is(redactText(shown), shown, 'what is hidden stays as it is');
  });

test('what inspect prints of secrets is hidden, in colours too, and what stands beside them is not', (t) => {
  const value = {
    password: S,
    'x-api-key': S,
    passwords: new Map([[S, [S]]]),
    token: Object.assign(Object.create(null), { [S]: S }) as unknown,
    sha256: Buffer.from(S),
    raw: ['Cookie', S, 'Host', 'beside'],
    tokens: 19,
    secret: undefined,
    beside: 'it',
  };
  for (const options of [{}, { colors: true }, { breakLength: Number.POSITIVE_INFINITY }]) {
    const shown = redactText(inspect(value, options));
    t.notRegex(shown, /hunter2|68 75 6e/);
    for (const kept of [/tokens/, /19/, /undefined/, /beside/, /'it'/, /Host/]) t.regex(shown, kept);
  }
});

test('words without a secret are left alone', (t) => {
  const texts = [
    'listening',
    'file:///a/node_modules/@x/y.js:1:2',
    'https://a.example/b@c',
    'a private network',
  ];
  texts.push('{"failed-authorisations":3,"tokens":2,"secret":null,"token":true}', '');
  texts.push('cannot listen on 0.0.0.0:80: permission denied');
  for (const text of texts) t.is(redactText(text), text);
});

test('the forms of secrets are hidden without a look at names', (t) => {
  t.is(redactForms(`password: x, http://a:${S}@b`), 'password: x, http://[hidden]@b');
});

test('values are redacted through and through, counts and switches stay', (t) => {
  const value = {
    why: `Bearer ${S}`,
    password: { [S]: S },
    list: [['cookie', S], ['host', 'a'], { token: S, tokens: 3, secret: null }],
  };
  const shown = {
    why: 'Bearer [hidden]',
    password: '[hidden]',
    list: [['cookie', '[hidden]'], ['host', 'a'], { token: '[hidden]', tokens: 3, secret: null }],
  };
  t.deepEqual(redacted(value) as unknown, shown);
  t.deepEqual(JSON.parse(JSON.stringify(value, redacting)), shown);
  t.is(JSON.stringify({ a: new Hidden(S) }, redacting), '{"a":"[hidden]"}');
});

test('our own words about what is under a secret name are shown, but for what has the form of a secret', (t) => {
  const expected = 'a.yaml:1:55 passwords[0]: a list; network.secret: no key, jwt_verification_key: no path';
  const bare = { errors: [expected] };
  t.deepEqual(redacted(bare), { errors: ['a.yaml:1:55 passwords[0]: [hidden]'] });
  for (const words of [new OwnWords(expected), new OwnWords(`${expected}, Bearer ${S}`)]) {
    const shown = String(words).replace('Bearer [hidden]', `Bearer ${S}`);
    t.true(shown.startsWith(expected));
    t.notRegex(inspect(words), /hunter2/);
    const errors = [words, words];
    t.deepEqual(redacted({ errors }) as unknown, { errors: [String(words), String(words)] });
    t.is(JSON.stringify({ errors }, redacting), JSON.stringify({ errors: [String(words), String(words)] }));
    t.deepEqual(redacted({ token: words }) as unknown, { token: '[hidden]' });
  }
});

test('no text takes long, whatever it is', (t) => {
  const size = 200_000;
  const parts = [
    'a://',
    'secret',
    'eyJaaaaaaaaa.',
    'token:',
    'token="',
    'token: {',
    '\\',
    'bearer ',
    'ws/pub/',
    '"',
  ];
  for (const part of parts) {
    const start = performance.now();
    redactText(`secret${part.repeat(size / part.length)}`);
    t.true(performance.now() - start < 2000, part);
  }
});
