import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ExecutionContext, ImplementationFn } from 'ava';
import test from 'ava';
import { Client } from 'pg';
import { freePorts } from './cluster.ts';
import { type Account, keyOf, Server } from './postgres-server.ts';

/** A real server in a folder of its own, on a UNIX socket and a free port of loopback. */
export interface Postgres {
  /** Asks for a password, over TCP. */
  readonly url: string;
  readonly password: string;
  /** Trusts whoever may open the socket. */
  readonly socketUrl: string;
  readonly port: number;
  /** Signed by itself, for 127.0.0.1; its path. Null: there is no openssl that could make one. */
  readonly certificate: string | null;
  /** Ends it at once, as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Stops it in mid-air, connections and all: it takes questions and answers none. */
  freeze(): void;
  thaw(): void;
  /** A database of its own for one test, which knows nothing yet: its URL, through the socket unless `tcp`. */
  database(way?: 'socket' | 'tcp'): Promise<string>;
  end(): Promise<void>;
}

const binaries = findBinaries();

/**
 * Runs where there is a PostgreSQL, which `test/support/provision.js` sees to, and is skipped elsewhere. One after the
 * other, as a database and its clients share a machine that may be small, and clients give up after a while.
 */
export function testWithPostgres(title: string, implementation: ImplementationFn<[]>): void {
  if (binaries === null) test.skip(`${title} (needs PostgreSQL)`, implementation);
  else test.serial(title, implementation);
}

/** The server of a file of tests: started before the first that asks, and ended after the last. */
export function sharedPostgres(): () => Promise<Postgres> {
  let server: Promise<Postgres> | null = null;
  test.after.always(async () => {
    await (await server?.catch(() => null))?.end();
  });
  return () => {
    server ??= startPostgres();
    return server;
  };
}

/** A server for one test, which may kill it. */
export async function ownPostgres(t: ExecutionContext): Promise<Postgres> {
  const server = await startPostgres();
  t.teardown(() => server.end());
  return server;
}

async function startPostgres(): Promise<Postgres> {
  if (binaries === null) throw new Error('PostgreSQL is not installed');
  const account = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'fanfare-pg-'));
  const password = 'pg-"p@ss:w/rd';
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  const own = (path: string) => {
    if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
  };
  for (const path of [folder, passwordFile]) own(path);
  const data = join(folder, 'data');
  const options = ['--no-sync', '--encoding=UTF8', '--locale=C', '--username=fanfare'];
  const access = ['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(join(binaries, 'initdb'), [...options, ...access, '--pgdata', data], {
    ...account,
    cwd: folder,
    stdio: 'pipe',
  });
  const certificate = selfSigned(folder);
  for (const path of certificate === null ? [] : [certificate, keyOf(certificate)]) own(path);
  const [port = 0] = await freePorts(1);
  const server = new Server(join(binaries, 'postgres'), account, folder, data, port, certificate);
  await server.start();
  const host = `fanfare:${encodeURIComponent(password)}@127.0.0.1:${port}`;
  const socketUrlOf = (name: string) =>
    `postgres://fanfare@/${name}?host=${encodeURIComponent(folder)}&port=${port}`;
  const socketUrl = socketUrlOf('postgres');
  let databases = 0;
  return {
    url: `postgres://${host}/postgres`,
    password,
    socketUrl,
    port,
    certificate,
    kill: () => server.kill(),
    start: () => server.start(),
    freeze: () => server.signalAll('SIGSTOP'),
    thaw: () => server.signalAll('SIGCONT'),
    async database(way = 'socket') {
      const name = `test${++databases}`;
      await queryOn(socketUrl, `CREATE DATABASE ${name}`);
      return way === 'tcp' ? `postgres://${host}/${name}` : socketUrlOf(name);
    },
    async end() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Runs statements on a connection of its own. */
export async function queryOn(url: string, sql: string, values?: readonly unknown[]) {
  const client = new Client(url);
  await client.connect();
  try {
    return await (values === undefined ? client.query(sql) : client.query(sql, [...values]));
  } finally {
    await client.end();
  }
}

function findBinaries(): string | null {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(base, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return (
    folders.find((folder) => ['initdb', 'postgres'].every((each) => existsSync(join(folder, each)))) ?? null
  );
}

function unprivileged(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name]).stdout));
    if (uid !== undefined && gid !== undefined && uid > 0) return { uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is no other account for it');
}

function selfSigned(folder: string): string | null {
  const certificate = join(folder, 'server.pem');
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    keyOf(certificate),
  ];
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-days', '2', ...key, ...name, '-out', certificate];
  return spawnSync('openssl', args, { stdio: 'ignore' }).status === 0 ? certificate : null;
}
