import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Why a port or socket could not be had, in one line for an operator. */
export function describeFailure(
  error: Error & { readonly code?: string | undefined },
  at: { readonly host: string; readonly port: number } | { readonly socket: string },
): string {
  const where = 'port' in at ? `${at.host}:${at.port}` : at.socket;
  const why = ('socket' in at ? placeFault(at.socket) : null) ?? reason(error);
  return `cannot listen on ${where}: ${why}`;
}

function reason(error: Error & { readonly code?: string | undefined }): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the address is in use';
    case 'EACCES':
      return 'permission denied';
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
  if (kind === 'file') return `${folder} is no folder`;
  return path.endsWith('/') || kindOf(path) === 'folder' ? 'it is a folder, and no name for a socket' : null;
}

function kindOf(path: string): 'folder' | 'file' | 'missing' | 'unknown' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unknown';
  }
}

/** A connection that could not be accepted, for want of descriptors as a rule: the listener goes on. */
export function isAcceptFailure(error: Error & { readonly syscall?: string | undefined }): boolean {
  return error.syscall === 'accept';
}
