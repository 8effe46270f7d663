import { Failed } from '../command.ts';
import type { Reach } from '../reach.ts';
import { LocalCrew, type Sent, type Soundings, type Tally, type Times } from './crew.ts';
import type { Part } from './plan.ts';

/** What a process that does a part of a run is told. */
export type Order =
  | { readonly type: 'open'; readonly part: Part; readonly reach: Reach }
  | { readonly type: 'send'; readonly times: Times }
  | { readonly type: 'stop' }
  | { readonly type: 'finish'; readonly sent: readonly (readonly [number, number])[] }
  | { readonly type: 'close' };

/** What it answers. */
export type Answer =
  | { readonly type: 'opened' }
  | { readonly type: 'sent'; readonly sent: Sent }
  | { readonly type: 'soundings'; readonly soundings: Soundings }
  | { readonly type: 'finished'; readonly tally: Tally }
  | { readonly type: 'said'; readonly line: string }
  | { readonly type: 'failed'; readonly code: number; readonly lines: readonly string[] };

/** Milliseconds between two soundings. */
const PERIOD = 200;

let crew: LocalCrew | null = null;

function tell(answer: Answer): void {
  process.send?.(answer);
}

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'open':
      crew = new LocalCrew(order.part, order.reach, {
        env: process.env,
        err: (line) => tell({ type: 'said', line }),
      });
      await crew.open();
      tell({ type: 'opened' });
      return;
    case 'send': {
      const timer = setInterval(() => sound(), PERIOD);
      try {
        tell({ type: 'sent', sent: await (crew as LocalCrew).send(order.times) });
      } finally {
        clearInterval(timer);
        sound();
      }
      return;
    }
    case 'stop':
      crew?.stop();
      return;
    case 'finish':
      tell({ type: 'finished', tally: await (crew as LocalCrew).finish(new Map(order.sent)) });
      return;
    case 'close':
      await crew?.close();
      process.disconnect();
      return;
  }
}

function sound(): void {
  if (crew !== null && process.connected) tell({ type: 'soundings', soundings: crew.soundings() });
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => {
    if (error instanceof Failed) tell({ type: 'failed', code: error.code, lines: error.lines });
    else throw error;
  });
});
// The process that has started this one is gone.
process.on('disconnect', () => process.exit());
// What a terminal tells all of its processes is for the first of them to decide.
process.on('SIGINT', () => undefined);
