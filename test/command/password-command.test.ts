import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { passwordCommand } from '../../src/command/password-command.ts';
import { placeOf, runCommand } from './run-command.ts';

const hash = (input: string | Buffer) => runCommand(['password', 'hash'], input);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('a password becomes what the configuration takes, without the end of its line', async (t) => {
  for (const input of ['correct horse', 'correct horse\n', 'correct horse\r\n']) {
    t.deepEqual(await hash(input), { code: 0, out: `sha256:${sha256('correct horse')}\n`, err: '' });
  }
  t.is((await hash(' é ')).out, `sha256:${sha256(' é ')}\n`, 'spaces count');
});

test('what is no password is refused, and not repeated', async (t) => {
  const bad = ['', '\n', '   \n', 'hunter2\nhunter2\n', Buffer.from([0xff, 0x68]), 'hunter2'.repeat(10_000)];
  for (const input of bad) {
    const { code, out, err } = await hash(input);
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, /^\S.*\n$/);
    t.notRegex(err, /hunter2/);
  }
});

test('a password as an argument, where others can see it, is not taken', async (t) => {
  const { code, out, err } = await runCommand(['password', 'hash', 'hunter2']);
  t.is(code, 1);
  t.is(out, '');
  t.is(err, 'usage: node dist/start.js password hash < FILE\n');
});

test('on a terminal a line is asked for, and what is typed is not shown', async (t) => {
  const said: string[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const code = await passwordCommand.run(['hash'], {
    ...placeOf({ out: '', err: '' }),
    input,
    out: (line) => said.push(line),
    err: (line) => {
      said.push(line);
      input.write('hunter2\r');
    },
  });
  t.is(code, 0);
  t.deepEqual(said, ['password (it is not shown):', `sha256:${sha256('hunter2')}`]);
});
