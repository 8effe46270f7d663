import { closeSync, openSync, readSync } from 'node:fs';
import { longestText } from './yaml-text.ts';

/** What is in a file, or why that is not known, in words for an operator that never quote it. */
export type FileText = { readonly text: string } | { readonly why: string; readonly missing?: true };

/** `doing`: `reading`. */
export function whyNot(error: unknown, doing: string): string {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no file of this name';
    case 'EISDIR':
      return 'this is a directory';
    case 'EACCES':
    case 'EPERM':
      return `${doing} it is not permitted`;
    default:
      return `${doing} it failed with ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/**
 * At most a little more than a configuration may hold, so that a device or a log named by mistake is not read whole.
 */
export function readTextFile(path: string): FileText {
  const buffer = Buffer.alloc(longestText * 3);
  let length = 0;
  try {
    const descriptor = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const why = whyNot(error, 'reading');
    return codeOf(error) === 'ENOENT' ? { why, missing: true } : { why };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)) };
  } catch {
    return { why: 'it is no text in UTF-8' };
  }
}
