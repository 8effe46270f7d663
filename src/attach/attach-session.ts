import type { Socket } from 'node:net';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, whereis } from '../otp/registry.ts';
import { redacting, redactText } from '../secret/redaction.ts';
import type { MemberMessage } from '../topic/topic.ts';
import { type NodeView, Refusal } from '../view/relay-view.ts';
import { answerText, errorText } from './answer-text.ts';
import { Evaluator } from './evaluator.ts';
import type { Asked } from './operations.ts';
import { HELP, operations, typedCommand } from './operations.ts';
import { type OperatorRealm, operatorRealm } from './operator-realm.ts';
import { type Answer, Lines, parseRequest, type Request, type Style } from './protocol.ts';
import type { StrayErrors } from './stray-errors.ts';

/** One attached operator: takes requests from the socket, and answers each. It ends with its socket, and only then. */
export interface AttachSessionArgs {
  readonly socket: Socket;
  readonly node: NodeView;
  /** False: the named operations only. */
  readonly evaluation: boolean;
  /** Milliseconds of one evaluation. */
  readonly limit: number;
  readonly log: AttachLog;
  readonly strays: StrayErrors;
  readonly publisher: ProcessName<MemberMessage>;
}

/** Who asked for what, a JSON object a line. */
export interface AttachLog {
  write(entry: Readonly<Record<string, unknown>>): void;
}

export type AttachSessionMessage =
  | Exit
  | { readonly type: 'request'; readonly request: Request }
  | { readonly type: 'done'; readonly id: number; readonly ok: boolean; readonly text: string }
  | { readonly type: 'gone' };

interface State extends AttachSessionArgs {
  readonly self: Self<AttachSessionMessage>;
  /** What is under way, by the id of its request. */
  readonly running: Map<number, AbortController>;
  /** What is to be ended when the operator goes. */
  readonly atEnd: Set<() => void>;
  evaluator: Evaluator | undefined;
  realm: OperatorRealm | undefined;
}

/** Bytes that may wait for an operator who does not read. */
const UNREAD_LIMIT = 8 * 1024 * 1024;

export const attachSession: Behaviour<AttachSessionArgs, State, AttachSessionMessage> = {
  name: 'attach-session',
  trapExit: true,

  init(self, args) {
    const { socket, node, evaluation } = args;
    const lines = new Lines((line) => {
      const request = parseRequest(line);
      if (request === null) socket.destroy();
      else send(self, { type: 'request', request });
    });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      if (!lines.take(chunk)) socket.destroy();
    });
    socket.on('close', () => {
      if (isAlive(self)) send(self, { type: 'gone' });
    });
    if (socket.destroyed) return stop('normal');
    write(socket, { type: 'hello', node: node.node, pid: process.pid, version: node.version, evaluation });
    return { ...args, self, running: new Map(), atEnd: new Set(), evaluator: undefined, realm: undefined };
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'request':
        take(state, message.request);
        return keep;
      case 'done':
        state.running.delete(message.id);
        write(state.socket, { type: 'answer', id: message.id, ok: message.ok, text: message.text });
        return keep;
      case 'gone':
      case 'exit':
        return stop('normal');
    }
  },

  terminate(state) {
    for (const controller of state.running.values()) controller.abort();
    for (const end of state.atEnd) end();
    state.evaluator?.close();
    state.socket.end();
    state.socket.destroySoon();
  },
};

function take(state: State, request: Request): void {
  switch (request.type) {
    case 'status':
      finish(state, request.id, true, state.node.ready() ? 'ready' : 'starting');
      return;
    case 'complete':
      finish(state, request.id, true, JSON.stringify(completions(state, request.text), redacting));
      return;
    case 'cancel':
      state.running.get(request.of)?.abort();
      finish(state, request.id, true, '');
      return;
    case 'evaluate':
      logged(state, { evaluate: request.text });
      evaluate(state, request.id, request.text, request.style);
      return;
    case 'call':
      logged(state, { call: request.name, args: request.args });
      attempt(state, request.id, request.style, () => ({ name: request.name, args: request.args }));
      return;
    case 'command':
      logged(state, { command: request.text });
      attempt(state, request.id, request.style, () => typedCommand(request.text));
      return;
  }
}

function logged({ log, self }: State, what: Readonly<Record<string, unknown>>): void {
  log.write({ session: self.toString(), ...what });
}

/** Runs a named operation. */
function attempt(
  state: State,
  id: number,
  style: Style,
  command: () => { readonly name: string; readonly args: readonly unknown[] },
): void {
  const controller = begin(state, id);
  try {
    const { name, args } = command();
    const isHelp = name === 'h' || name === 'help';
    const operation = isHelp ? HELP : operations.get(name);
    if (operation === undefined)
      throw new Refusal(`there is no operation of that name; h lists what there is`);
    const value = operation.run(askedBy(state, args, controller.signal));
    const shown = isHelp && style === 'line' ? 'lines' : style;
    later(state, id, style, value, (data) => answerText(data, operation, shown));
  } catch (error) {
    finish(state, id, false, errorText(error, style));
  }
}

/** A promise that an operation has returned is waited for as long as it takes, or until it is given up. */
function later(
  state: State,
  id: number,
  style: Style,
  value: unknown,
  show: (data: unknown) => string,
): void {
  if (!(value instanceof Promise)) {
    finish(state, id, true, show(value));
    return;
  }
  const signal = state.running.get(id)?.signal;
  const cancelled = new Promise<never>((_resolve, reject) => {
    const cancel = () => reject(new Refusal('cancelled'));
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel);
  });
  Promise.race([cancelled, value]).then(
    (data) => finish(state, id, true, show(data)),
    (error: unknown) => finish(state, id, false, errorText(error, style)),
  );
}

function evaluate(state: State, id: number, text: string, style: Style): void {
  if (!state.evaluation) {
    finish(state, id, false, 'evaluation is off (attach.eval); rpc and attach have the named operations');
    return;
  }
  const controller = begin(state, id);
  const { evaluator, realm } = evaluatorOf(state);
  controller.signal.addEventListener('abort', () => evaluator.cancel());
  void evaluator.evaluate(text).then((evaluation) => {
    if (evaluation.outcome === 'stopped') finish(state, id, false, evaluation.why);
    else if (evaluation.outcome === 'thrown')
      finish(state, id, false, thrownText(evaluator, evaluation.value, style));
    else {
      const { value } = evaluation;
      const operation = realm.producedBy(value);
      if (operation !== undefined && value instanceof Promise) {
        later(state, id, style, value, (data) => answerText(data, operation, style));
      } else {
        shown(state, id, evaluator, () => answerText(value, operation, style));
      }
    }
    realm.forget();
  });
}

/** A value of the operator's may run anything when it is printed. */
function shown(state: State, id: number, evaluator: Evaluator, show: () => string): void {
  let text: string;
  try {
    text = evaluator.bounded(show);
  } catch (error) {
    finish(state, id, false, `it cannot be shown: ${thrownText(evaluator, error, 'line')}`);
    return;
  }
  finish(state, id, true, text);
}

function thrownText(evaluator: Evaluator, error: unknown, style: Style): string {
  try {
    return evaluator.bounded(() => errorText(error, style));
  } catch {
    return 'Uncaught [what cannot be shown]';
  }
}

function evaluatorOf(state: State): { readonly evaluator: Evaluator; readonly realm: OperatorRealm } {
  let { evaluator, realm } = state;
  if (evaluator === undefined || realm === undefined) {
    const controller = new AbortController();
    state.atEnd.add(() => controller.abort());
    realm = operatorRealm(
      (args) => askedBy(state, args, currentSignal(state, controller.signal)),
      () => state.evaluator,
    );
    const made = new Evaluator({
      globals: realm.globals,
      limit: state.limit,
      strays: state.strays,
      failed: (error) => say(state, thrownText(made, error, 'lines')),
    });
    evaluator = made;
    state.evaluator = made;
    watch(state.self, () => made.close());
    state.realm = realm;
  }
  return { evaluator, realm };
}

/** An operation that an evaluation calls is given up with the evaluation. */
function currentSignal({ running }: State, ofSession: AbortSignal): AbortSignal {
  let newest = ofSession;
  for (const { signal } of running.values()) newest = signal;
  return newest;
}

function askedBy(state: State, args: readonly unknown[], signal: AbortSignal): Asked {
  const { node, self, publisher } = state;
  return {
    node,
    args,
    signal,
    say: (line) => say(state, line),
    onGone: (action) => state.atEnd.add(action),
    publisher: (): Pid<MemberMessage> | undefined => whereis(self.system, publisher),
  };
}

function completions(state: State, text: string): string[] {
  const [, quoted] = /['"](topic:[^'"]*)$/.exec(text) ?? [];
  if (quoted !== undefined) {
    const names: string[] = [];
    for (const topic of state.node.topics.all()) {
      const name = topic.toString();
      if (name.startsWith(quoted) && !/['"\\\p{Cc}]/u.test(name) && names.push(name) === 100) break;
    }
    return names.sort();
  }
  if (state.evaluation) return evaluatorOf(state).evaluator.complete(text);
  return [...operations.keys(), 'h'].filter((name) => name.startsWith(text)).sort();
}

function begin({ running }: State, id: number): AbortController {
  const controller = new AbortController();
  running.set(id, controller);
  return controller;
}

/** The answer comes as a message, like all that happens: it may be done long after the request was handled. */
function finish({ self }: State, id: number, ok: boolean, text: string): void {
  if (isAlive(self)) send(self, { type: 'done', id, ok, text });
}

function say({ socket }: State, text: string): void {
  write(socket, { type: 'say', text: redactText(text) });
}

function write(socket: Socket, answer: Answer): void {
  if (!socket.writable) return;
  socket.write(`${JSON.stringify(answer)}\n`);
  if (socket.writableLength > UNREAD_LIMIT) socket.destroy();
}
