import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { Arrivals } from './arrivals.ts';
import { freePorts } from './cluster.ts';
import { packageRoot, temporaryFolder } from './relay-process.ts';

/** Debian has it where only root looks for commands. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** Whether there is an nginx to run. */
export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v'], { stdio: 'ignore', env }).status === 0;
}

/** Whether this machine can be reached over IPv6 at all. */
export function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
}

/**
 * Runs nginx with a recipe of `rel/nginx`, the relays' and the service's addresses replaced, until the test is over.
 * Returns its port.
 */
export async function startNginx(
  t: ExecutionContext,
  recipe: string,
  relays: readonly [number, number],
  service = 1,
): Promise<number> {
  const folder = temporaryFolder(t);
  const [port = 0] = await freePorts(1);
  const text = replaced(readFileSync(join(packageRoot, 'rel', 'nginx', recipe), 'utf8'), [
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['listen [::]:80;', hasIPv6() ? `listen [::1]:${port};` : ''],
    ['server 10.0.0.1:8081;', `server 127.0.0.1:${relays[0]};`],
    ['server 10.0.0.2:8081;', `server 127.0.0.1:${relays[1]};`],
    ...(recipe === 'auth.conf' ? ([['127.0.0.1:8089', `127.0.0.1:${service}`]] as const) : []),
  ]);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr notice; events {}
    http { access_log off; ${temporary.join(' ')} ${text} }`,
  );
  const child = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  t.teardown(() => {
    child.kill('SIGTERM');
    return gone;
  });
  const lines = new Arrivals<string>('nginx');
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  const line = await lines.find((one) => /start worker process \d+|\[emerg\]/.test(one), 'its start');
  if (line.includes('[emerg]')) throw new Error(line);
  return port;
}

function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the recipe has no ${from}`);
    return result.replaceAll(from, to);
  }, text);
}
