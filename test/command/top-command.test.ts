import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { freePorts } from '../support/cluster.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { hasTerminals, onTerminal } from '../support/terminal.ts';
import { connectWs } from '../support/ws-client.ts';
import { runCommand, runProgram } from './run-command.ts';

/** A relay in a process of its own, with two listeners and traffic at one of two paths. */
async function busyRelay(t: ExecutionContext) {
  const file = configFile(
    t,
    'node: busy\nnetwork: { port: 0 }\ndoors: { pinghub: { port: 0, metrics_port: off } }\n',
  );
  const relay = runRelay(t, ['start', '--config', file], { FANFARE_VAR_DIR: '' });
  const port = await relay.port('pinghub');
  await relay.log.find(({ msg }) => msg === 'ready');
  const [hot] = await Promise.all([connectWs(t, port, '/hot'), connectWs(t, port, '/cold')]);
  const timer = setInterval(() => hot.send('x'), 5);
  t.teardown(() => clearInterval(timer));
  return { file, port: () => relay.port('admin') };
}

test('over the attach socket and over HTTP the busiest topic comes first', async (t) => {
  const { file, port } = await busyRelay(t);
  const http = `http://127.0.0.1:${await port()}`;
  for (const source of [
    ['--config', file, '--every', '0.5'],
    ['--url', http],
  ]) {
    const { code, out, err } = await runProgram(['top', '--once', '--json', ...source]);
    t.is(err, '');
    t.is(code, 0);
    const { node, by, total, rows } = JSON.parse(out);
    t.like({ node, by, total }, { node: 'busy', by: 'topics', total: 2 });
    t.is(rows[0].name, 'topic:main:hot', out);
    t.true(rows[0].rate > 0, out);
  }
});

test('each list is shown as a table, sorted by the key that was asked for', async (t) => {
  const { port } = await busyRelay(t);
  const source = ['--url', `http://127.0.0.1:${await port()}/observer`];
  const shown = async (...args: string[]) => {
    const { code, out, err } = await runCommand(['top', '--once', ...source, ...args]);
    t.is(code, 0, err);
    return out.trimEnd().split('\n');
  };
  const [connections, processes, links, relays, cold] = await Promise.all([
    shown('--by', 'connections', '--sort', 'in'),
    shown('--by', 'processes', '-n', '3'),
    shown('--by', 'links'),
    shown('--by', 'relays'),
    shown('--sort', 'name', '-n', '1'),
  ]);
  t.regex(connections[0] ?? '', /^busy {2}\d+% busy {2}[\d ]+ msg\/s .* 2 connections$/);
  t.regex(connections[2] ?? '', /^ref +door +address +state .* in\/s\*/);
  t.is(connections.length, 5);
  t.is(processes.length, 6);
  t.is(links.at(-1), '(none)');
  t.regex(relays[2] ?? '', /^relay\* +state +in\/s +out\/s +clients +loop +busy +lag +round trip +heard/);
  t.regex(relays[3] ?? '', /^busy +ready +[\d.]+ +[\d.]+ +2 +/);
  t.is(relays.length, 4);
  t.regex(cold.at(-1) ?? '', /^topic:main:cold/);
});

test('without --once it goes on until it is interrupted, and ends with 0', async (t) => {
  const { port } = await busyRelay(t);
  const ended = new AbortController();
  let looks = 0;
  const { code } = await runCommand(['top', '--json', '--url', `http://127.0.0.1:${await port()}`], '', {
    interruption: () => ended.signal,
    stdout: () =>
      new Writable({
        write(_chunk, _encoding, done) {
          if (++looks === 2) ended.abort();
          done();
        },
      }),
  });
  t.is(code, 0);
  t.is(looks, 2);
});

test('a node that does not run, a port that does not answer, and one that is none of ours', async (t) => {
  const [nobody = 0] = await freePorts(1);
  const file = configFile(t, 'node: none\nadmin: false\n');
  t.deepEqual(await runCommand(['top', '--once', '--config', file]), {
    code: 75,
    out: '',
    err: 'Node is not running!\n',
  });
  const away = await runCommand(['top', '--once', '--url', `http://127.0.0.1:${nobody}`]);
  t.like(away, { code: 75, out: '' });
  t.regex(away.err, /is out of reach: .*ECONNREFUSED/);
  const stranger = createServer((request, response) => {
    if (request.url?.startsWith('/secret')) response.writeHead(401).end();
    else response.end('event: frame\ndata: nonsense\n');
  }).listen(0, '127.0.0.1');
  t.teardown(() => stranger.close());
  await new Promise((resolve) => stranger.once('listening', resolve));
  const at = `http://127.0.0.1:${(stranger.address() as { readonly port: number }).port}`;
  t.like(await runCommand(['top', '--once', '--url', at]), { code: 1, out: '' });
  t.like(await runCommand(['top', '--once', '--url', `${at}/secret`]), { code: 77, out: '' });
});

test('arguments that make no sense are refused before anything is asked', async (t) => {
  for (const [args, words] of [
    [['--by', 'nonsense'], /^--by is one of topics, connections, processes, links, relays/],
    [['--by', 'links', '--sort', 'members'], /^--sort is one of rtt, lag, rate, pending, lost/],
    [['--every', '0.01'], /^--every is at least 100ms/],
    [['--url', 'ws://127.0.0.1:1'], /^--url takes the address of an admin port/],
    [['--url', 'http://127.0.0.1:1', '--token', 's3cret'], /^--token takes @FILE/],
    [['more'], /^usage: /],
  ] as const) {
    const { code, out, err } = await runCommand(['top', ...args]);
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, words);
    t.notRegex(err, /s3cret/);
  }
});

(hasTerminals ? test : test.skip)(
  'on a terminal it draws in place, keys choose the list and the order, and q gives the screen back',
  async (t) => {
    const { file } = await busyRelay(t);
    const top = onTerminal(t, ['top', '--every', '0.2', '--config', file]);
    await top.shows(/topic +members +msg\/s\*/);
    top.press('c');
    await top.shows(/ref +door .*pending\*/);
    top.press('>');
    await top.shows(/in\/s\*/);
    top.press('q');
    t.is(await top.exited, 0);
    const screen = top.screen();
    t.true(screen.startsWith('\u001b[?1049h\u001b[?25l\u001b[H'), 'a screen of its own');
    t.true(screen.trimEnd().endsWith('\u001b[?25h\u001b[?1049l'), 'the screen as it was');
    for (const line of screen.split('\u001b[K')) t.true(line.replace(/^\r\n/, '').length <= 120, line);
  },
);
