import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { freePorts } from '../support/cluster.ts';
import { packageRoot, runRelay, temporaryFolder } from '../support/relay-process.ts';

/** The blocks of commands below a heading of the README. */
function commandsBelow(heading: string): string[] {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block = '']) => block,
  );
}

test('the commands of the README by which a listener comes back after a cut do what it says', async (t) => {
  const [start = '', listen = ''] = commandsBelow('Come back after a cut');
  const [, set = ''] = /^npm start -- --set '([^']+)'\n$/.exec(start) ?? [];
  const [port = 0] = await freePorts(1);
  const folder = temporaryFolder(t);
  const relay = runRelay(t, [
    ...['--set', set, '--set', 'doors.pusu=false', '--set', 'doors.wspubsub=false'],
    ...['--set', `doors.pinghub.port=${port}`, '--set', 'doors.pinghub.metrics_port=null'],
  ]);
  await relay.log.find((line) => line.msg === 'ready', 'ready');
  const script = listen.replaceAll('127.0.0.1:8081', `127.0.0.1:${port}`);
  t.true(script.includes(`:${port}/`));
  const shell = spawn('sh', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(shell.stdout);
  t.regex(
    said.replace(/\w+:(\d)\n/g, '$1\n'),
    /^:\nretry: \d+\n\nid: 0\n\nOK\nOK\nOK\n:\nretry: \d+\n\nid: 0\n\nid: 1\ndata: Message 1\n\nid: 2\ndata: Message 2\n\nid: 3\ndata: Message 3\n\n$/,
  );
});
