import { statSync } from 'node:fs';
import { dirname } from 'node:path';

type Place = { readonly host: string; readonly port: number } | { readonly socket: string };

const IN_USE = 'the address is in use';

/** Why a port or socket could not be had, in one line for an operator. */
export function describeFailure(error: Error & { readonly code?: string | undefined }, at: Place): string {
  const where = 'port' in at ? `${at.host}:${at.port}` : at.socket;
  const why = ('socket' in at ? placeFault(at.socket) : null) ?? reason(error);
  return `cannot listen on ${where}: ${why}`;
}

/**
 * Whether a listener has to close before the one that takes its place can open. At one port a socket at all addresses of
 * the machine and one at a single address of it do not listen side by side.
 */
export function mustMakeWay(old: Place | null, next: Place | null, failure: string): boolean {
  if (old === null || next === null || 'socket' in old || 'socket' in next) return false;
  return old.port === next.port && failure.endsWith(IN_USE);
}

/** Why something that listens has not moved, for an operator. `lost`: why the old place could not be had back. */
export function whyNotMoved({
  error,
  lost,
}: {
  readonly error: string;
  readonly lost: string | null;
}): string {
  return lost === null ? `${error}; it stays where it is` : `${error}; it is closed: ${lost}`;
}

function reason(error: Error & { readonly code?: string | undefined }): string {
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

/** A connection that could not be accepted, for want of descriptors as a rule: the listener goes on. */
export function isAcceptFailure(error: Error & { readonly syscall?: string | undefined }): boolean {
  return error.syscall === 'accept';
}
