import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runningPid } from '../../src/host/run-folder.ts';
import { freeze } from '../support/freeze.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { runCommand } from './run-command.ts';

/** A node that stands still: it has its socket, its ports and its process, and says nothing. */
async function silentNode(t: ExecutionContext) {
  const env = { FANFARE_VAR_DIR: temporaryFolder(t), FANFARE_ADMIN_PORT: '0' };
  const file = configFile(t, 'node: a\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n');
  const relay = runRelay(t, ['--config', file], env);
  await relay.log.find((one) => one.msg === 'ready', 'a node that is ready');
  const pid = runningPid(join(env.FANFARE_VAR_DIR, 'a')) as number;
  await freeze(pid);
  const run = (...words: readonly string[]) => runCommand([...words, '--config', file], '', { env });
  return { pid, run, folder: env.FANFARE_VAR_DIR };
}

test('a node that hangs ends what asks it with 75 and clear words, ping with 1, and report packs what there is', async (t) => {
  const { pid, run, folder } = await silentNode(t);
  const archive = join(folder, 'report.tar.gz');
  const asking = [
    ['eval', '1'],
    ['rpc', 'network'],
    ['rpc', '--csv', '--all', 'topics'],
    ['top', '--once'],
    ['reload'],
    ['attach'],
    ['config', 'show', '--running'],
  ];
  const [ping, waiting, report, ...others] = await Promise.all([
    run('ping'),
    run('ping', '--wait', '1'),
    run('report', '-o', archive),
    ...asking.map((words) => run(...words)),
  ]);
  for (const one of [ping, waiting]) {
    t.deepEqual([one.code, one.out], [1, 'Node is silent.\n']);
    t.is(one.err, `pid ${pid} runs, but says nothing: it hangs, or somebody has stopped it\n`);
  }
  for (const [i, { code, out, err }] of others.entries()) {
    const words = asking[i]?.join(' ');
    t.deepEqual([code, out], [75, ''], words);
    t.is(
      err,
      `pid ${pid} runs, but the node has not answered for 5 s: it hangs, or is stopped; report packs what there is of it\n`,
      words,
    );
  }
  t.deepEqual([report.code, report.out], [0, `${archive}\n`]);
  t.regex(report.err, /^not in it: tree\.txt: the node has not answered for 5 s/m);
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' });
  for (const name of ['settings-of-the-file', 'system', 'process-status', 'process-limits', 'README'])
    t.regex(names, new RegExp(`/${name}\\.txt$`, 'm'));
});
