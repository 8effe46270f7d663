import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILED, Failed, type Place } from '../command.ts';
import type { Reach } from '../reach.ts';
import type { Crew, Sent, Soundings, Tally, Times } from './crew.ts';
import type { Part } from './plan.ts';
import type { Answer, Order } from './worker.ts';

/** A part of a run that is done by a process of its own. */
export class RemoteCrew implements Crew {
  readonly #child: ChildProcess;
  readonly #open: Order;
  #soundings: Soundings = { sent: 0, received: 0 };
  #waiting: { resolve(answer: Answer): void; reject(error: Failed): void } | null = null;
  #failure: Failed | null = null;

  constructor(part: Part, reach: Reach, { env, err }: Pick<Place, 'env' | 'err'>) {
    const program = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
    this.#child = fork(fileURLToPath(program), [], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#open = { type: 'open', part, reach };
    this.#child.on('message', (answer: Answer) => {
      if (answer.type === 'soundings') this.#soundings = answer.soundings;
      else if (answer.type === 'said') err(answer.line);
      else if (answer.type === 'failed') this.#end(new Failed(answer.code, ...answer.lines));
      else this.#waiting?.resolve(answer);
    });
    this.#child.on('error', (error) => this.#end(new Failed(FAILED, error.message)));
    this.#child.on('exit', () => this.#end(new Failed(FAILED, 'a process of the measurement has ended')));
  }

  async open(): Promise<void> {
    await this.#ask(this.#open, 'opened');
  }

  async send(times: Times): Promise<Sent> {
    return (await this.#ask({ type: 'send', times }, 'sent')).sent;
  }

  soundings(): Soundings {
    return this.#soundings;
  }

  stop(): void {
    this.#tell({ type: 'stop' });
  }

  async finish(sent: ReadonlyMap<number, number>): Promise<Tally> {
    return (await this.#ask({ type: 'finish', sent: [...sent] }, 'finished')).tally;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#tell({ type: 'close' });
    await gone;
  }

  #tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order);
  }

  /** One order at a time has an answer. */
  #ask<Type extends Answer['type']>(
    order: Order,
    type: Type,
  ): Promise<Extract<Answer, { readonly type: Type }>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      this.#waiting = {
        resolve: (answer) => {
          if (answer.type === type) resolve(answer as Extract<Answer, { readonly type: Type }>);
        },
        reject,
      };
      this.#tell(order);
    });
  }

  #end(failure: Failed): void {
    this.#failure ??= failure;
    this.#waiting?.reject(failure);
    this.#waiting = null;
  }
}
