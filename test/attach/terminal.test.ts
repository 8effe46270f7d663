import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { HistoryFile } from '../../src/attach/client/history-file.ts';
import type { NodeClient } from '../../src/attach/client/node-client.ts';
import { attachTerminal, isUnfinished } from '../../src/attach/client/terminal.ts';
import { Arrivals, eventually } from '../support/arrivals.ts';
import { temporaryFolder } from '../support/relay-process.ts';

/** An operator at a terminal of 80 columns, and a node that says back what it is asked. */
function operator(t: ExecutionContext, history: readonly string[]) {
  const file = new HistoryFile(join(temporaryFolder(t), 'history'));
  for (const line of history) file.add(line);
  const asked = new Arrivals<string>('what the node is asked');
  const client = {
    hello: { type: 'hello', node: 'a', pid: 1, version: '9.9', evaluation: true },
    evaluate: (text: string) => {
      asked.push(text);
      return Promise.resolve({ ok: true, text: `answer to ${text}` });
    },
    complete: (text: string) => Promise.resolve(text === 'topics({o' ? ['offset: '] : []),
    cancel: () => undefined,
    close: () => undefined,
  } as unknown as NodeClient;
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const ended = attachTerminal(client, input, output, file);
  const type = async (keys: string, until: string) => {
    input.write(keys);
    await eventually(() => shown.includes(until), `${until} is shown; ${JSON.stringify(shown.slice(-300))}`);
    shown = '';
  };
  return {
    asked,
    type,
    ended,
    file,
    input,
    shows: (text: string) => eventually(() => shown.includes(text), text),
  };
}

test('^R finds a line of an earlier session, and enter asks it', async (t) => {
  const { asked, type, shows, input, ended, file } = operator(t, ['topics()', 'peers()', 'tree()']);
  await shows('a 1> ');
  await type('half', 'half');
  await type('\u0012', "(reverse-i-search)'': ");
  await type('op', "(reverse-i-search)'op': topics()");
  await type('\r', 'answer to topics()');
  t.is(await asked.next(), 'topics()');
  // What this session has asked is searched, too.
  await type('1 + 41\r', 'answer to 1 + 41');
  await type('\u001241', "(reverse-i-search)'41': 1 + 41");
  await type('\u001b[D\u007f\r', 'answer to 1 + 1');
  t.deepEqual(file.lines().slice(0, 2), ['1 + 1', '1 + 41']);
  input.write('\u0004');
  t.is(await ended, 0);
});

test('a search that is given up leaves the line as it was', async (t) => {
  const { type, shows, input, ended } = operator(t, ['topics()']);
  await shows('a 1> ');
  await type('tre', 'tre');
  await type('\u0012zzz', "(failed reverse-i-search)'zzz': ");
  await type('\u0007', 'tre');
  await type('e()\r', 'answer to tree()');
  input.write('\u0004');
  t.is(await ended, 0);
});

test('TAB completes an option', async (t) => {
  const { type, shows, input, ended } = operator(t, []);
  await shows('a 1> ');
  await type('topics({o\t', 'ffset: ');
  await type('3})\r', 'answer to topics({offset: 3})');
  input.write('\u0004');
  t.is(await ended, 0);
});

test('more lines are asked for as long as something is open', (t) => {
  for (const text of [
    '{',
    'f(',
    'f(1,',
    'const a = {x: 1,',
    '`a',
    'if (a) {',
    'await f(',
    'for await (const a of b) {',
    '[1,\n2',
    'f({a:\n1',
  ])
    t.true(isUnfinished(text), text);
});

test('a whole expression is done, and so is one that more lines would not save', (t) => {
  for (const text of [
    '1',
    'await f()',
    'const a = await b',
    'for await (const a of b) {}',
    'f(1 2',
    ')',
    'a b',
    '"x',
    'state(<5>)',
  ])
    t.false(isUnfinished(text), text);
});
