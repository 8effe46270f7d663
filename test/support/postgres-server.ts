import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** As the server refuses to run as root. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** The path of a certificate's key. */
export const keyOf = (certificate: string) => `${certificate}.key`;

/** The process of a server and its children: started, stopped in mid-air, killed, and started again. */
export class Server {
  readonly #program: string;
  readonly #account: Account;
  readonly #folder: string;
  readonly #data: string;
  readonly #port: number;
  readonly #certificate: string | null;
  #child: ChildProcess | null = null;
  #gone: Promise<void> = Promise.resolve();

  constructor(
    program: string,
    account: Account,
    folder: string,
    data: string,
    port: number,
    certificate: string | null,
  ) {
    this.#program = program;
    this.#account = account;
    this.#folder = folder;
    this.#data = data;
    this.#port = port;
    this.#certificate = certificate;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.#port),
      unix_socket_directories: this.#folder,
      fsync: 'off',
      shared_buffers: '8MB',
      max_connections: '40',
      log_min_messages: 'log',
      ...(this.#certificate === null
        ? {}
        : { ssl: 'on', ssl_cert_file: this.#certificate, ssl_key_file: keyOf(this.#certificate) }),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(this.#program, ['-D', this.#data, ...flags], {
      ...this.#account,
      cwd: this.#folder,
      // A group of its own, so that its processes can be stopped together, and a Ctrl-C is not theirs.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    });
    this.#child = child;
    const end = () => this.signalAll('SIGKILL');
    process.on('exit', end);
    this.#gone = new Promise((resolve) => {
      child.on('close', () => {
        process.off('exit', end);
        if (this.#child === child) this.#child = null;
        resolve();
      });
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => reject(new Error(`PostgreSQL has ended: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        if (said.length < 100_000) said += chunk.toString();
        if (said.includes('ready to accept connections')) resolve();
      });
    });
  }

  async kill(): Promise<void> {
    this.signalAll('SIGKILL');
    await this.#gone;
  }

  /** The postmaster and, as far as they are there yet, its children, which have groups of their own. */
  signalAll(signal: NodeJS.Signals): void {
    const parent = this.#child?.pid;
    if (parent === undefined) return;
    for (const pid of [...childrenOf(parent), parent]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It is gone already.
      }
    }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

/** proc(5): the fourth field of `stat`; the second one is in parentheses and may hold anything. */
function parentOf(pid: number): number | null {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return null;
  }
}
