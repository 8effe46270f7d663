import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { configFile, packageRoot, temporaryFolder } from '../support/relay-process.ts';

const settings = 'node: n\nadmin: false\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n';

/** What a log file says, a message for each line; none: it is not there. */
function messages(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
  } catch {
    return [];
  }
}

/** A relay whose log goes to that file, by way of its standard output or by its configuration. */
async function relayWithLog(t: ExecutionContext, way: 'standard output' | 'log.file') {
  const folder = temporaryFolder(t);
  const file = join(folder, 'relay.log');
  const config = configFile(t, way === 'log.file' ? `${settings}log: { file: ${file} }\n` : settings);
  const output = openSync(join(folder, way === 'log.file' ? 'output' : 'relay.log'), 'a');
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'start.js'), '--config', config], {
    env: { PATH: process.env['PATH'] ?? '', FANFARE_VAR_DIR: folder },
    stdio: ['ignore', output, 'pipe'],
  });
  closeSync(output);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    child.kill('SIGKILL');
    return gone;
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await eventually(() => messages(file).includes('ready'), 'it is ready');
  return { file, child, gone, said: () => errors };
}

for (const way of ['standard output', 'log.file'] as const)
  test(`a log by ${way} that is renamed goes on in a new file at SIGUSR1, which reads no configuration, and at SIGHUP`, async (t) => {
    const { file, child, gone, said } = await relayWithLog(t, way);
    for (const [index, signal] of (['SIGUSR1', 'SIGHUP'] as const).entries()) {
      const before = `${file}.${index}`;
      renameSync(file, before);
      child.kill(signal);
      await eventually(() => messages(file).includes('log opened anew'), 'there is a new file');
      t.is(
        messages(before).filter((msg) => msg === 'log opened anew').length,
        index,
        'nothing more goes there',
      );
    }
    const audited = readFileSync(join(dirname(file), 'n', 'audit.log'), 'utf8');
    for (const signal of ['SIGUSR1', 'SIGHUP'])
      t.true(audited.includes(`"by":"signal","who":"unknown","what":"${signal}"`), signal);
    child.kill('SIGTERM');
    await gone;
    t.true(messages(file).includes('stopped'));
    t.false(messages(`${file}.1`).some((msg) => msg === 'reloaded'));
    t.is(said(), '', 'no debugger listens');
  });

test('in the journal each line has its priority, those of standard error too', async (t) => {
  const folder = temporaryFolder(t);
  const run = (text: string): Promise<string> => {
    const file = join(folder, `journal-${text.length}`);
    const output = openSync(file, 'a');
    // What systemd says of its stream, said of a file.
    const { dev, ino } = fstatSync(output, { bigint: true });
    const child = spawn(
      process.execPath,
      [join(packageRoot, 'dist', 'start.js'), '--config', configFile(t, text)],
      {
        env: { PATH: process.env['PATH'] ?? '', FANFARE_VAR_DIR: folder, JOURNAL_STREAM: `${dev}:${ino}` },
        stdio: ['ignore', output, output],
      },
    );
    closeSync(output);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    t.teardown(() => child.kill('SIGKILL'));
    const end = async () => {
      await eventually(
        () => readFileSync(file, 'utf8').includes('"ready"') || child.exitCode !== null,
        'it is up',
      );
      child.kill('SIGTERM');
      await gone;
      return readFileSync(file, 'utf8');
    };
    return end();
  };
  const lines = (await run(`${settings}allowed_channels: []\n`)).trimEnd().split('\n');
  t.regex(lines[0] ?? '', /^<4>warning: .*allowed_channels/);
  t.regex(lines.at(-1) ?? '', /^<6>\{"level":30.*"stopped"/);
  t.true(
    lines.every((line) => /^<[46]>/.test(line)),
    lines.join('\n'),
  );
  t.regex(await run('nod: n\n'), /^<3>.*nod: unknown key/);
});
