import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fileApiKeys } from '../../../src/authenticator/api-keys/file-api-keys.ts';
import { allows, type Permissions } from '../../../src/authenticator/permissions.ts';
import { sha256 } from '../../../src/secret/secret.ts';
import { authenticatorContract } from '../../contract/authenticator-contract.ts';
import { temporaryFolder } from '../../support/relay-process.ts';
import { question } from '../asker.ts';
import { changes, storeLog } from './store-log.ts';

const NEVER = 3_600_000;

const line = (domain: string, key: string) =>
  `- { domain: "${domain}", username: u, sha256: ${sha256(key).toString('hex')} }\n`;

const shared = mkdtempSync(join(tmpdir(), 'fanfare-'));
test.after.always(() => rmSync(shared, { recursive: true, force: true }));

authenticatorContract('ApiKeys in a file', {
  make() {
    const file = join(shared, 'apikeys.yaml');
    writeFileSync(file, line('example.com', '0a3c1d6e-key') + line('*', 'star') + line('__proto__', 'proto'));
    return fileApiKeys({ file, log: storeLog().log });
  },
  grants: [
    {
      authorization: '0a3c1d6e-key',
      write: ['example.com/', 'example.com/a'],
      neither: ['example.com', 'example.org/a', 'example.comx/a', '*/a'],
    },
    { authorization: 'star', write: ['*/topic'], neither: ['example.com/topic'] },
    { authorization: 'proto', write: ['__proto__/a'], neither: ['__proto__', 'toString'] },
  ],
});

function setup(t: ExecutionContext, { poll = NEVER, text = '' as string | null } = {}) {
  const file = join(temporaryFolder(t), 'apikeys.yaml');
  if (text !== null) writeFileSync(file, text);
  const { log, lines } = storeLog();
  const authenticator = fileApiKeys({ file, log, poll });
  const opens = async (key: string, topic = 'a/t') =>
    allows((await authenticator.authorise(question(key))) as Permissions, 'write', topic);
  return { file, lines, authenticator, opens };
}

test('the next question after a change is answered by the new keys, without anybody who watches', async (t) => {
  const { file, opens, lines } = setup(t, { text: line('a', 'one') });
  t.true(await opens('one'));
  writeFileSync(file, line('a', 'two'));
  t.false(await opens('one'));
  t.true(await opens('two'));
  t.deepEqual(lines.all, []);
});

test('a change of the same length in the same moment is seen as well', async (t) => {
  const { file, opens } = setup(t, { text: line('a', 'one') });
  for (const key of ['two', 'six', 'ten', 'one']) {
    writeFileSync(file, line('a', key));
    t.true(await opens(key), key);
  }
});

test('whoever watches is told of a change that nobody asked about, once for each', async (t) => {
  const { file, authenticator, opens } = setup(t, { text: line('a', 'one') });
  t.true(await opens('one'));
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  writeFileSync(`${file}.new`, line('a', 'two'));
  renameSync(`${file}.new`, file);
  await told.next();
  t.true(await opens('two'));
  t.is(told.all.length, 1);
  stop?.();
  writeFileSync(file, line('a', 'six'));
  t.true(await opens('six'));
  t.is(told.all.length, 1, 'one that has stopped is told nothing');
});

test('where the system tells of nothing, the file is looked at again and again', async (t) => {
  const { file, authenticator, opens } = setup(t, { text: line('a', 'one'), poll: 5 });
  t.true(await opens('one'));
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  // In a folder that is a new one, which no watch of the old one tells of.
  const folder = join(file, '..');
  renameSync(folder, `${folder}-old`);
  t.teardown(() => rmSync(`${folder}-old`, { recursive: true, force: true }));
  const other = temporaryFolder(t);
  writeFileSync(join(other, 'apikeys.yaml'), line('a', 'two'));
  renameSync(other, folder);
  await told.next();
  t.true(await opens('two'));
  stop?.();
});

test('a bad file leaves the keys as they were, and is told once', async (t) => {
  const { file, lines, opens } = setup(t, { text: line('a', 'one') });
  t.true(await opens('one'));
  writeFileSync(file, `${line('a', 'two')}- { domain: b, key: hunter2 }\n`);
  for (let asked = 0; asked < 3; asked++) t.true(await opens('one'));
  t.false(await opens('two'));
  t.deepEqual(lines.all, [
    {
      msg: 'API keys cannot be read; those of before go on to count',
      file,
      why: `${file}:2:16 keys[1]: unknown key; known here: domain, username, sha256, created`,
    },
  ]);
  writeFileSync(file, line('a', 'two'));
  t.true(await opens('two'));
  t.deepEqual(lines.all.slice(1), [{ msg: 'API keys are read again', file }]);
});

test('a file that is gone leaves the keys as they were', async (t) => {
  const { file, lines, opens } = setup(t, { text: line('a', 'one') });
  t.true(await opens('one'));
  rmSync(file);
  t.true(await opens('one'));
  t.like(lines.all, [{ why: 'it is gone' }]);
  writeFileSync(file, line('a', 'one'));
  t.true(await opens('one'));
  t.is(lines.all.length, 2);
});

test('without a file nobody has a key, until there is one', async (t) => {
  const { file, lines, authenticator, opens } = setup(t, { text: null });
  t.false(await opens('one'));
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  writeFileSync(file, line('a', 'one'));
  await told.next();
  t.true(await opens('one'));
  t.deepEqual(lines.all, []);
  stop?.();
});

test('a file that is bad from the start answers no question, and grants nothing', async (t) => {
  const { file, lines, opens } = setup(t, { text: '- nonsense' });
  for (let asked = 0; asked < 2; asked++) await t.throwsAsync(opens('one'), { code: 'KEY_FILE' });
  t.is(lines.all.length, 1);
  t.is(lines.all[0]?.msg, 'API keys cannot be read');
  writeFileSync(file, line('a', 'one'));
  t.true(await opens('one'));
});

test('a file that is no file is a fault with its reason', async (t) => {
  const { lines, authenticator } = (() => {
    const { log, lines: said } = storeLog();
    return { lines: said, authenticator: fileApiKeys({ file: temporaryFolder(t), log }) };
  })();
  await t.throwsAsync(async () => authenticator.authorise(question('x')), { code: 'KEY_FILE' });
  t.like(lines.all, [{ msg: 'API keys cannot be read', why: 'reading it failed with EISDIR' }]);
});
