import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  statSync,
  write as writeAsync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from '../host/folder.ts';

/**
 * Where log lines go. Nothing here waits: what the target does not take at once is kept, up to a limit, and tried again;
 * beyond it lines are lost, and counted. A reader that hangs, a full disk and a closed pipe cost lines, never service.
 *
 * A pipe or terminal is opened anew without blocking, so that those who share it (a shell, a parent) keep theirs as it
 * is. A regular file has no such mode: it is written in Node's thread pool, one write at a time.
 */
export class LogTarget {
  /** Null: what it is opened from cannot be opened anew. */
  readonly #file: string | null;
  readonly #limit: number;
  /** The line that says how many lines were lost before it. */
  readonly #lossLine: (lines: number) => string;
  #target: Target;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** The rest of a chunk of which the target took a part. */
  #rest: Buffer | null = null;
  #restLines = 0;
  #writing = false;
  /** How long the file will be when the write under way is done. */
  #fileEnd = 0;
  #scheduled = false;
  #retry: NodeJS.Timeout | null = null;
  #lost = 0;
  #lostUnsaid = 0;

  /** `file`: a path, or null for standard output; throws where it cannot be opened. `limit`: bytes that may wait. */
  constructor(file: string | null, lossLine: (lines: number) => string, limit = 8 * 1024 * 1024) {
    this.#limit = limit;
    this.#lossLine = lossLine;
    this.#target = open(file);
    this.#file = file ?? fileOfOutput(this.#target);
  }

  /** Lines that never reached the target. */
  get lost(): number {
    return this.#lost;
  }

  /** Where another thread may write a line of its own. */
  get descriptor(): number {
    return this.#target.descriptor;
  }

  /** `line` ends with a newline. */
  write(line: string): void {
    if (this.#waitingBytes + line.length > this.#limit) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#scheduled || this.#writing || this.#retry !== null) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  /** Writes out what waits, as far as the target takes it within `patience` milliseconds. For the end of the program. */
  flush(patience = 500): void {
    const end = Date.now() + patience;
    // A write that is under way in the thread pool will be done: to begin it again would write its lines twice, and
    // what is written before it is done would stand before it.
    if (this.#writing) {
      while (this.#sizeOfFile() < this.#fileEnd && Date.now() < end) Atomics.wait(PAUSE, 0, 0, 1);
      this.#rest = null;
    }
    while (this.#next() !== null) {
      if (this.#writeOnce()) continue;
      if (Date.now() >= end) return;
      Atomics.wait(PAUSE, 0, 0, 10);
    }
  }

  /**
   * Opens the file anew, after it has been moved away: `log.file`, or the file that standard output goes to. Where it
   * cannot be opened the old one is kept.
   */
  reopen(): Reopened {
    if (this.#file === null) return 'no file';
    try {
      const old = this.#target;
      // Whoever may read the log goes on reading it, and nobody else does.
      const fresh = open(this.#file, fstatSync(old.descriptor).mode & 0o777);
      this.#target = fresh;
      if (!this.#writing) close(old.descriptor);
      this.#drain();
      return 'anew';
    } catch {
      return 'failed';
    }
  }

  #sizeOfFile(): number {
    try {
      return fstatSync(this.#target.descriptor).size;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  #drain(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#writing) return;
    if (this.#target.kind === 'file') {
      this.#writeToFile(this.#target.descriptor);
      return;
    }
    while (this.#next() !== null) {
      if (this.#writeOnce()) continue;
      this.#retry = setTimeout(() => this.#drain(), RETRY).unref();
      return;
    }
  }

  #writeToFile(descriptor: number): void {
    const chunk = this.#next();
    if (chunk === null) return;
    this.#writing = true;
    this.#fileEnd = this.#sizeOfFile() + chunk.length;
    writeAsync(descriptor, chunk, (error, written) => {
      this.#writing = false;
      if (this.#target.descriptor !== descriptor) close(descriptor);
      if (this.#rest !== chunk) return;
      if (error !== null) this.#failed(error);
      else this.#took(chunk, written);
      // A disk that is full is not asked a hundred times a second.
      if (error === null) this.#drain();
      else this.#retry = setTimeout(() => this.#drain(), FILE_RETRY).unref();
    });
  }

  /** False: the target takes nothing now. */
  #writeOnce(): boolean {
    const chunk = this.#next();
    if (chunk === null) return true;
    try {
      this.#took(chunk, writeSync(this.#target.descriptor, chunk));
      return true;
    } catch (error) {
      return this.#failed(error as NodeJS.ErrnoException);
    }
  }

  #next(): Buffer | null {
    if (this.#rest !== null) return this.#rest;
    if (this.#waiting.length === 0 && this.#lostUnsaid === 0) return null;
    // One write for all that waits, up to what a pipe holds.
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < CHUNK) bytes += this.#waiting[count++]?.length ?? 0;
    const lines = this.#waiting.splice(0, count);
    this.#waitingBytes -= bytes;
    this.#restLines = lines.length;
    // The lines that were lost came after those that wait.
    if (this.#lostUnsaid > 0 && this.#waiting.length === 0) {
      lines.push(this.#lossLine(this.#lostUnsaid));
      this.#lostUnsaid = 0;
    }
    this.#rest = Buffer.from(lines.join(''));
    return this.#rest;
  }

  #took(chunk: Buffer, written: number): void {
    this.#rest = written < chunk.length ? chunk.subarray(written) : null;
  }

  /** True: something may be tried at once. A target that is only full keeps what waits; any other fault loses it. */
  #failed({ code }: NodeJS.ErrnoException): boolean {
    if (code === 'EAGAIN') return false;
    this.#rest = null;
    this.#lose(this.#restLines);
    // No line that goes there will ever be read.
    if (code === 'EPIPE' || code === 'EBADF' || code === 'EIO') {
      this.#lose(this.#waiting.length);
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#lostUnsaid = 0;
      return true;
    }
    return false;
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.#lostUnsaid += lines;
  }
}

export type Reopened = 'anew' | 'failed' | 'no file';

interface Target {
  readonly kind: 'file' | 'stream';
  readonly descriptor: number;
}

const STDOUT = 1;
/** Milliseconds until a full pipe is tried again, and a faulty file. */
const RETRY = 20;
const FILE_RETRY = 1000;
const CHUNK = 64 * 1024;
/** As that of a daemon's log. */
const FILE_MODE = 0o640;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const NON_BLOCKING = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** `mode`: of a file that is made, less the umask. */
function open(file: string | null, mode = FILE_MODE): Target {
  if (file !== null) {
    makeFolder(dirname(file));
    if (statSync(file, { throwIfNoEntry: false })?.isFIFO() === true) {
      return { kind: 'stream', descriptor: openSync(file, NON_BLOCKING) };
    }
    const descriptor = openSync(file, 'a', mode);
    if (fstatSync(descriptor).isFile()) return { kind: 'file', descriptor };
    return { kind: 'stream', descriptor: reopened(descriptor) };
  }
  const stat = fstatSync(STDOUT);
  if (stat.isFile()) return { kind: 'file', descriptor: STDOUT };
  if (stat.isSocket()) {
    // A socket cannot be opened anew: Node's handle makes it one that does not block, and is used for nothing else.
    new Socket({ fd: STDOUT, readable: false, writable: true }).unref();
    return { kind: 'stream', descriptor: STDOUT };
  }
  return { kind: 'stream', descriptor: reopened(STDOUT) };
}

/** The path of a regular file that standard output goes to, as it is now; null: there is none, or no `/proc` to tell it. */
function fileOfOutput({ kind }: Target): string | null {
  try {
    return kind === 'file' ? readlinkSync(`/proc/self/fd/${STDOUT}`) : null;
  } catch {
    return null;
  }
}

/** Standard output is not only ours. */
function close(descriptor: number): void {
  if (descriptor !== STDOUT) closeSync(descriptor);
}

/** The same pipe or terminal in a descriptor of our own that does not block; where there is no `/proc`, the old one. */
function reopened(descriptor: number): number {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, NON_BLOCKING);
  } catch {
    return descriptor;
  }
}
