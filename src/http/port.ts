import { lstatSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { watch } from '../otp/monitor.ts';
import { isAlive, type Self, send } from '../otp/process.ts';
import { portTables, takenByConnection } from './ephemeral-ports.ts';

/** Where a listener listens: at a port, or at the path of a UNIX socket. */
export type Place = Port | UnixSocket;

export interface Port {
  readonly host: string;
  readonly port: number;
}

interface UnixSocket {
  readonly socket: string;
  /** The folder is the relay's own: a socket in it that cannot be reached is dead, whatever the reason. */
  readonly own?: true;
}

type ListenError = Error & { readonly code?: string | undefined; readonly syscall?: string | undefined };

/** What a listener's process hears of its port, once. */
export type PortMessage =
  /** `at`: with the number that a port was given, and the address of its host. */
  | { readonly type: 'listening'; readonly at: Place }
  | { readonly type: 'failed'; readonly error: ListenError };

/**
 * Has a process listen with a server. However the process ends, killed included, the port ends with it: its successor
 * needs the address. `close`: what else is to end. `missed`: a connection could not be accepted, for want of descriptors
 * as a rule, and the listener goes on.
 */
export function openPort(
  self: Self<PortMessage>,
  server: Server,
  at: Place,
  { close, missed }: { readonly close?: () => void; readonly missed?: () => void } = {},
): void {
  server.on('listening', () => {
    const address = server.address();
    const isPort = typeof address === 'object' && address !== null;
    send(self, { type: 'listening', at: isPort ? { host: address.address, port: address.port } : at });
  });
  server.on('error', (error: ListenError) => {
    if (error.syscall === 'accept') missed?.();
    else send(self, { type: 'failed', error });
  });
  watch(self, () => {
    server.close();
    close?.();
  });
  if ('port' in at) server.listen(at.port, at.host);
  else listenAtSocket(self, server, at);
}

/** A socket file that a killed relay has left is taken over; a file at which a process answers is not. */
function listenAtSocket(self: Self<PortMessage>, server: Server, { socket: path, own }: UnixSocket): void {
  if (!isSocket(path)) {
    server.listen(path);
    return;
  }
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    server.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' }));
  });
  probe.on('error', (error: NodeJS.ErrnoException) => {
    if (!isAlive(self)) return;
    try {
      // Refused: no process is behind it. Any other failure, such as a lack of permission, says nothing of the kind.
      if (error.code === 'ECONNREFUSED' || own) rmSync(path, { force: true });
    } catch (failure) {
      server.emit('error', failure);
      return;
    }
    server.listen(path);
  });
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

const IN_USE = 'the address is in use';

/** Why a port or socket could not be had, in one line for an operator. */
export function describeFailure(error: ListenError, at: Place): string {
  const where = 'port' in at ? `${at.host}:${at.port}` : at.socket;
  const why = ('socket' in at ? placeFault(at.socket) : null) ?? reason(error);
  const by = 'port' in at && why === IN_USE ? takenByConnection(at.port, portTables()) : null;
  return `cannot listen on ${where}: ${by === null ? why : `${why}, ${by}`}`;
}

/**
 * Whether a listener has to close before the one that takes its place can open. At one port a socket at all addresses of
 * the machine and one at a single address of it do not listen side by side.
 */
export function mustMakeWay(old: Place, next: Place, failure: string): boolean {
  if ('socket' in old || 'socket' in next) return false;
  return old.port === next.port && failure.includes(IN_USE);
}

/**
 * Why a listener has not moved, for an operator. `error`: null: it has only made way for others. `lost`: why the old
 * place could not be had back; undefined: there was none.
 */
export function whyNotMoved({
  error,
  lost,
}: {
  readonly error: string | null;
  readonly lost: string | null | undefined;
}): string {
  const now = lost === undefined ? null : lost === null ? 'it stays where it is' : `it is closed: ${lost}`;
  return [error, now].filter((part) => part !== null).join('; ');
}

function reason(error: ListenError): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return IN_USE;
    case 'EACCES':
      return 'permission denied';
    case 'ENOTFOUND':
      return 'there is no host of this name';
    case 'EAI_AGAIN':
      return 'the name of the host cannot be resolved at the moment';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return error.code ?? error.name;
  }
}

/** What is wrong with the place of a socket. Node says `EACCES` of a folder that is missing, too. */
function placeFault(path: string): string | null {
  const folder = dirname(path);
  const kind = kindOf(folder);
  if (kind === 'missing') return `there is no folder ${folder}`;
  if (kind === 'file' || kind === 'socket') return `${folder} is no folder`;
  const there = kindOf(path);
  if (path.endsWith('/') || there === 'folder') return 'it is a folder, and no name for a socket';
  return there === 'file' ? 'a file stands there that is no socket' : null;
}

function kindOf(path: string): 'folder' | 'socket' | 'file' | 'missing' | 'unknown' {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'folder';
    return stat.isSocket() ? 'socket' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unknown';
  }
}
