import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { descriptorLimit } from '../../src/host/open-files.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, temporaryFolder } from '../support/relay-process.ts';
import { runCommand } from './run-command.ts';

/** What `check` warns of, without the place. */
async function warnings(t: ExecutionContext, text: string): Promise<string[]> {
  const { code, out, err } = await runCommand(['check', '--config', configFile(t, text)]);
  t.is(code, 0, err);
  t.regex(out, /: ok\n$/);
  return err.split('\n').filter((line) => line !== '');
}

/** What a relay of these settings says in its log. */
async function logged(t: ExecutionContext, text: string) {
  const { log } = await startTestRelay(t, parse(text), 1000, { openFiles: descriptorLimit() });
  return log.all;
}

const KINDS: readonly (readonly [inCheck: RegExp, inLog: string])[] = [
  [
    /any web page may use this door/,
    'any web page may use this door, through the browser of whoever reads it: set an origin list',
  ],
  [/network\.secret: not set/, 'open network'],
  [/limits\.connections: more than/, 'limits.connections is more than the limit on open files leaves'],
];

const all = '0.0.0.0';
const passwords = 'authenticator: PasswordAuthenticator\npasswords: { a: ["*"] }\n';
const cases: readonly (readonly [name: string, text: string])[] = [
  ['the PuSu door open to all', `doors: { pusu: { port: 0, host: ${all} } }\n`],
  ['the PuSu door on loopback', 'doors: { pusu: { port: 0, host: 127.0.0.1 } }\n'],
  ['a list of origins', `doors: { pusu: { port: 0, host: ${all}, origin: "https://example.com" } }\n`],
  ['passwords', `${passwords}doors: { pusu: { port: 0, host: ${all} } }\n`],
  [
    'passwords, and all may read',
    `${passwords}allow_read_by_default: true\ndoors: { pusu: { port: 0, host: ${all} } }\n`,
  ],
  ['no channel is allowed', `allowed_channels: []\ndoors: { pusu: { port: 0, host: ${all} } }\n`],
  [
    'a door with passwords of its own',
    `doors: { pinghub: { port: 0, metrics_port: false, host: ${all}, ${passwords.replaceAll('\n', ', ').replace(/, $/, '')} } }\n`,
  ],
  ['subscribers of wspubsub', `${passwords}doors: { wspubsub: { port: 0, host: ${all} } }\n`],
  [
    'wspubsub in the realm of others',
    `${passwords}doors: { pusu: { port: 0, host: 127.0.0.1 }, wspubsub: { port: 0, host: ${all}, realm: main } }\n`,
  ],
  [
    'a network without a secret',
    'relays: [127.0.0.1]\nnetwork: { port: 0, timeout: 100ms, heartbeat: 20ms }\ndoors: { pusu: { port: 0, host: 127.0.0.1 } }\n',
  ],
  [
    'a network with a secret',
    'relays: [127.0.0.1]\nnetwork: { port: 0, timeout: 100ms, heartbeat: 20ms, secret: correct-horse-battery-staple }\ndoors: { pusu: { port: 0, host: 127.0.0.1 } }\n',
  ],
  [
    'more connections than files',
    'limits: { connections: 1000000000 }\ndoors: { pusu: { port: 0, host: 127.0.0.1 } }\n',
  ],
  [
    'any number of connections',
    'limits: { connections: 0 }\ndoors: { pusu: { port: 0, host: 127.0.0.1 } }\n',
  ],
  ['few connections', 'limits: { connections: 10 }\ndoors: { pusu: { port: 0, host: 127.0.0.1 } }\n'],
];

for (const [name, text] of cases)
  test(`check warns of what a start warns of: ${name}`, async (t) => {
    const [said, lines] = [await warnings(t, text), await logged(t, text)];
    for (const [inCheck, inLog] of KINDS)
      t.is(
        said.filter((line) => inCheck.test(line)).length,
        lines.filter(({ msg }) => msg === inLog).length,
        `${inLog}\n${said.join('\n')}\n${JSON.stringify(lines)}`,
      );
  });

test('check names the line, and a folder that could not be used, and makes nothing', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const text = `doors:\n  pusu: { port: 0, host: ${all} }\nvar_dir: ${join(file, 'var')}\n`;
  const [origin = '', folder = ''] = await warnings(t, text);
  t.regex(origin, /^warning: \S+relay\.yaml:2:\d+ doors\.pusu\.origin: any web page may use this door/);
  t.regex(folder, /^warning: nobody could attach: .*ENOTDIR/);
});
