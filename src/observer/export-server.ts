import type { ServerResponse } from 'node:http';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { type Self, send } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { sendAfter } from '../otp/timer.ts';
import type { RelayView } from '../view/relay-view.ts';
import { exportOf, type Format, formats } from './export.ts';
import { type ObserverQuery, observerQuery } from './query.ts';
import type { Rates } from './rates.ts';
import { tabOf } from './tabs.ts';

/**
 * Writes whole lists of the observer page as files, one file after the other. A portion of a hundred rows is made and
 * written at a time, the next one when the client's side has taken it: a hundred thousand rows hold up nobody.
 */
export interface ExportServerArgs {
  readonly view: RelayView;
  readonly rates: Rates;
}

export type ExportServerMessage =
  | Exit
  | ({ readonly type: 'export' } & Wanted)
  | { readonly type: 'go on'; readonly response: ServerResponse }
  | { readonly type: 'gone'; readonly response: ServerResponse };

/** Writes a list as a file. False: the process is not there. */
export function exportBy(
  system: System,
  exports: ProcessName<ExportServerMessage>,
  response: ServerResponse,
  query: string,
  format: Format,
): boolean {
  response.on('close', () => sendNamed(system, exports, { type: 'gone', response }));
  return sendNamed(system, exports, { type: 'export', response, query: observerQuery(query), format });
}

interface Wanted {
  readonly response: ServerResponse;
  readonly query: ObserverQuery;
  readonly format: Format;
}

interface State extends ExportServerArgs {
  readonly self: Self<ExportServerMessage>;
  current: { readonly response: ServerResponse; readonly pieces: Iterator<string> } | null;
  waiting: readonly Wanted[];
}

/** Files that may be asked for while one is being written. */
const WAITING = 8;

export const exportServer: Behaviour<ExportServerArgs, State, ExportServerMessage> = {
  name: 'export-server',
  trapExit: true,

  init: (self, args) => ({ ...args, self, current: null, waiting: [] }),

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'export':
        if (state.waiting.length >= WAITING) {
          message.response.writeHead(503, { 'Retry-After': '5' }).end('Error: too many exports.\n');
          return keep;
        }
        state.waiting = [...state.waiting, message];
        if (state.current === null) begin(state);
        return keep;
      case 'go on':
        if (message.response === state.current?.response) write(state);
        return keep;
      case 'gone':
        state.waiting = state.waiting.filter(({ response }) => response !== message.response);
        if (message.response === state.current?.response) begin(state);
        return keep;
      case 'exit':
        return stop(message.reason);
    }
  },

  terminate({ current, waiting }) {
    current?.response.destroy();
    for (const { response } of waiting) response.destroy();
  },

  undelivered(message) {
    if (message.type === 'export') message.response.destroy();
  },
};

function begin(state: State): void {
  const [next, ...others] = state.waiting;
  state.current = null;
  state.waiting = others;
  if (next === undefined) return;
  const { response, query, format } = next;
  const { view, rates } = state;
  const tab = tabOf(query.tab);
  if (tab === undefined) {
    response.destroy();
    begin(state);
    return;
  }
  response.writeHead(200, {
    'Content-Type': formats[format],
    'Content-Disposition': `attachment; filename="${fileName(view.node, query.tab, format)}"`,
    'Cache-Control': 'no-store, no-transform',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  });
  const pieces = exportOf(format, tab.shown, tab.all({ view, rates }, query))[Symbol.iterator]();
  state.current = { response, pieces };
  write(state);
}

function write(state: State): void {
  const { self, current } = state;
  if (current === null) return;
  const { response, pieces } = current;
  const { value, done } = pieces.next();
  const goOn = { type: 'go on', response } as const;
  if (done === true) {
    response.end();
    begin(state);
  } else if (value === '') sendAfter(self, 0, goOn);
  else response.write(value, () => send(self, goOn));
}

/** `relay-1-topics-2030-01-31.csv`. */
function fileName(node: string, tab: string, format: Format): string {
  const day = new Date().toISOString().slice(0, 10);
  return `${node.replace(/[^\w.-]+/g, '-')}-${tab}-${day}.${format}`;
}
