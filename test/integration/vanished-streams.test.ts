import { spawn } from 'node:child_process';
import { get } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { Arrivals } from '../support/arrivals.ts';
import { machines } from '../support/namespaces.ts';
import { runRelay } from '../support/relay-process.ts';

/** What a stream of events has brought, as text so far. */
type Stream = Arrivals<string>;

function collect(source: NodeJS.ReadableStream, what: string): Stream {
  const states = new Arrivals<string>(what);
  let text = '';
  source.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    states.push(text);
  });
  return states;
}

/** A stream of a client on another machine. */
function remoteStream(t: ExecutionContext, prefix: readonly string[], url: string): Stream {
  const [command, ...words] = [...prefix, 'curl', '-sN', '-H', 'Accept: text/event-stream', url];
  const child = spawn(command as string, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  return collect(child.stdout, 'remote stream');
}

async function nearStream(t: ExecutionContext, url: string): Promise<Stream> {
  const headers = { Accept: 'text/event-stream' };
  const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    const request = get(url, { headers, agent: false }, resolve).on('error', reject);
    t.teardown(() => request.destroy());
  });
  return collect(response, 'near stream');
}

test.serial(
  'a stream whose cable is pulled is closed within seconds of the comment that nobody acknowledges; others stay',
  async (t) => {
    const net = machines(t, 2);
    if (net === null) {
      t.pass();
      return;
    }
    const sets = [
      'node=relay',
      'doors.pinghub={host: 0.0.0.0, port: 0, metrics_port: false}',
      'doors.pusu=false',
      'limits.ping=1s',
      'limits.pong=500ms',
      'log.format=json',
    ];
    const relay = runRelay(
      t,
      sets.flatMap((set) => ['--set', set]),
      {},
      net.prefix(0),
    );
    const port = await relay.port('pinghub');
    const near = `http://${net.clients(0)}:${port}/t`;
    const streams = [
      remoteStream(t, net.prefix(1), `http://${net.network(0)}:${port}/t`),
      await nearStream(t, near),
    ] as const;
    const publish = (text: string) => fetch(near, { method: 'POST', body: text });
    // A subscription is there when its first comment is.
    for (const stream of streams) await stream.find((text) => text.includes(':\n\n'), 'a comment');
    await publish('one');
    for (const stream of streams) await stream.find((text) => text.includes('data: one\n\n'), 'one');
    net.cut(0, 1);
    await publish('two');
    const closed = await relay.log.find(({ msg }) => msg === 'closed', 'the end of the stream');
    t.like(closed, { door: 'pinghub', code: 1006, reason: 'no acknowledgement', out: 2 });
    await publish('three');
    await streams[1].find(
      (text) => text.includes('data: two\n\n') && text.includes('data: three\n\n'),
      'all',
    );
    t.is(relay.log.all.filter(({ msg }) => msg === 'closed').length, 1);
  },
);
