import type { Socket } from 'node:net';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, whereis } from '../otp/registry.ts';
import { redacting, redactText } from '../secret/redaction.ts';
import type { MemberMessage } from '../topic/topic.ts';
import type { Audit } from '../view/audit.ts';
import { type NodeView, Refusal } from '../view/relay-view.ts';
import { answerText, errorText } from './answer-text.ts';
import { operationCompletions } from './completion.ts';
import { Evaluator, TooLong } from './evaluator.ts';
import type { Asked } from './operations/operation.ts';
import { type Operations, type OperatorRealm, operatorRealm } from './operator-realm.ts';
import {
  type Answer,
  type Asker,
  Lines,
  type Outcome,
  parseRequest,
  type Request,
  type Style,
  typedCommand,
} from './protocol.ts';
import type { StrayErrors } from './stray-errors.ts';

/** One attached operator: takes requests from the socket, and answers each. It ends with its socket, and only then. */
export interface AttachSessionArgs {
  readonly socket: Socket;
  readonly node: NodeView;
  readonly operations: Operations;
  /** False: the named operations only. */
  readonly evaluation: boolean;
  /** Milliseconds that it may hold up the relay. */
  readonly turn: number;
  readonly audit: Audit;
  readonly strays: StrayErrors;
  readonly publisher: ProcessName<MemberMessage>;
}

export type AttachSessionMessage =
  | Exit
  | { readonly type: 'request'; readonly request: Request }
  | { readonly type: 'done'; readonly id: number; readonly ok: boolean; readonly text: string }
  | { readonly type: 'gone' };

interface State extends AttachSessionArgs {
  readonly self: Self<AttachSessionMessage>;
  /** Requests under way, by their ids. */
  readonly running: Map<number, AbortController>;
  /** Called when the operator goes. */
  readonly atEnd: Set<() => void>;
  /** What was looked at again and again, and is in the audit log. */
  readonly seen: Set<string>;
  prompt: Prompt | undefined;
  /** Of the last evaluation. */
  style: Style;
  /** Of the last request. */
  who: string;
}

interface Prompt {
  readonly evaluator: Evaluator;
  readonly realm: OperatorRealm;
}

/** Milliseconds of one evaluation. */
const LIMIT = 5000;
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
    return {
      ...args,
      self,
      running: new Map(),
      atEnd: new Set(),
      seen: new Set(),
      prompt: undefined,
      style: 'lines',
      who: self.toString(),
    };
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
    state.prompt?.evaluator.close();
    state.socket.end();
    state.socket.destroySoon();
  },
};

function take(state: State, request: Request): void {
  const { id } = request;
  state.who = request.who ?? state.self.toString();
  switch (request.type) {
    case 'status':
      finish(state, id, done(state.node.ready() ? 'ready' : 'starting'));
      return;
    case 'complete':
      finish(state, id, done(JSON.stringify(completions(state, request.text), redacting)));
      return;
    case 'cancel':
      state.running.get(request.of)?.abort();
      finish(state, id, done(''));
      return;
    case 'evaluate': {
      const { text } = request;
      if (ASKS_FOR_HELP.test(text)) {
        perform(state, request, { text, isLook: true }, (signal) =>
          run(state, typedCommand(text), request, signal),
        );
        return;
      }
      // Whatever is evaluated may end the node before there is an outcome.
      written(state, request, { text, isLook: true }, 'begun');
      const what = { text, told: evaluatedText(state, text), isLook: isPlainLook(state, text) };
      perform(state, request, what, (signal) => evaluate(state, request, signal));
      return;
    }
    case 'call': {
      const { name, args } = request;
      const what = {
        text: callText(name, args),
        told: shownCall(state, name, () => args),
        isLook: isLook(state, name),
      };
      const isKnown = isSeen(state, request, what.text);
      perform(state, request, what, (signal) => run(state, request, request, signal), isKnown);
      return;
    }
    case 'command': {
      const { text } = request;
      const [, name = ''] = /^\s*([a-z_.]*)/.exec(text) ?? [];
      const told = shownCall(state, name, () => typedCommand(text).args);
      const what = { text, told, isLook: isLook(state, name) };
      perform(state, request, what, (signal) => run(state, typedCommand(text), request, signal));
      return;
    }
  }
}

/** As it is typed by somebody who does not know the prompt yet: as JavaScript it is a fault, or a function. */
const ASKS_FOR_HELP = /^\s*(?:help|(?:h|help)\s+[a-z_.]+)\s*$/;

/** What was asked, for the audit log. */
interface What {
  readonly text: string;
  /** Where the time line does not show that text: what it shows. */
  readonly told?: string | undefined;
  readonly isLook: boolean;
}

function written(
  { audit, self }: State,
  { by, who }: Asker,
  { text, told, isLook }: What,
  outcome: string,
): void {
  const session = self.toString();
  audit.write({
    by: by ?? 'prompt',
    who: who === undefined ? session : `${who} ${session}`,
    what: text,
    outcome,
    ...(told === undefined ? {} : { told }),
    isLook,
  });
}

function isLook({ operations }: State, name: string): boolean {
  return operations.byName.get(name)?.isAction !== true;
}

function isHelp(name: string): boolean {
  return name === 'h' || name === 'help';
}

/** Whether what is evaluated is one call of an operation that only looks. */
function isPlainLook(state: State, text: string): boolean {
  const name = plainCall(state, text);
  return name !== undefined && (isHelp(name) || isLook(state, name));
}

/** The operation of which an evaluated text is one call. Whatever could run anything else is no plain call. */
function plainCall({ operations }: State, text: string): string | undefined {
  const withoutTexts = text.replace(/'[^'\\]*'|"[^"\\]*"/g, "''");
  const [, name = ''] =
    /^\s*(?:await\s+)?([a-z_]+(?:\.[a-z_]+)?)\([^()=`+-]*\)\s*;?\s*$/.exec(withoutTexts) ?? [];
  return isHelp(name) || operations.byName.has(name) ? name : undefined;
}

/** What the time line shows in place of an evaluated text; undefined: the text. */
function evaluatedText(state: State, text: string): string | undefined {
  const name = plainCall(state, text);
  if (name === undefined) return 'an expression';
  return shownCall(state, name, () => typedCommand(text.replace(/^\s*await\s/, '')).args);
}

/** A call of an operation without what clients get; undefined: nothing of it goes to clients. */
function shownCall(
  { operations }: State,
  name: string,
  argumentsOf: () => readonly unknown[],
): string | undefined {
  const shown = operations.byName.get(name)?.shownArguments;
  if (shown === undefined) return undefined;
  try {
    return callText(name, argumentsOf(), shown);
  } catch {
    return `${name}(…)`;
  }
}

/** A call as it is written, with so many of its arguments. */
function callText(name: string, args: readonly unknown[], most = args.length): string {
  const texts = args.slice(0, most).map((argument) => JSON.stringify(argument));
  return `${name}(${[...texts, ...(args.length > most ? ['…'] : [])].join(', ')})`;
}

/** Of what is asked again and again, a session's first look of each kind says that it looks. */
function isSeen({ seen, operations }: State, { name }: { readonly name: string }, what: string): boolean {
  if (operations.byName.get(name)?.isRefreshed !== true) return false;
  if (seen.has(what)) return true;
  // Whoever looks at so many different things is no program that refreshes.
  if (seen.size < 100) seen.add(what);
  return false;
}

/** Begins an action that may be cancelled. An error that it throws is the answer. `what`: for the audit log; `isKnown`: it is there. */
function perform(
  state: State,
  request: Asker & { readonly id: number; readonly style: Style },
  what: What,
  action: (signal: AbortSignal) => Promise<Outcome>,
  isKnown = false,
): void {
  const { id, style } = request;
  const controller = new AbortController();
  state.running.set(id, controller);
  const begun = async () => action(controller.signal);
  const over = (outcome: Outcome) => {
    if (!isKnown || !outcome.ok)
      written(state, request, what, outcome.ok ? 'done' : `failed: ${outcome.text.split('\n')[0]}`);
    finish(state, id, outcome);
  };
  begun().then(over, (error: unknown) => over(failed(errorText(error, style))));
}

/** How an answer is wanted. */
interface Shape {
  readonly style: Style;
  /** Characters of a line; undefined: any number. */
  readonly width?: number | undefined;
}

/** Runs a named operation. */
async function run(
  state: State,
  { name, args }: { readonly name: string; readonly args: readonly unknown[] },
  { style, width }: Shape,
  signal: AbortSignal,
): Promise<Outcome> {
  const operation = isHelp(name) ? state.operations.help : state.operations.byName.get(name);
  if (operation === undefined) throw new Refusal('there is no operation of that name; h lists what there is');
  const data = await unlessCancelled(operation.run(askedBy(state, args, style, signal)), signal);
  return done(answerText(data, operation, style, width));
}

/** A promise that an operation has returned is waited for as long as it takes, or until it is given up. */
function unlessCancelled<T>(value: T | Promise<T>, signal: AbortSignal): T | Promise<T> {
  if (!(value instanceof Promise)) return value;
  const cancelled = new Promise<never>((_resolve, reject) => {
    const cancel = () => reject(new Refusal('cancelled'));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel);
  });
  return Promise.race([cancelled, value]);
}

async function evaluate(
  state: State,
  { text, style, width }: Extract<Request, { readonly type: 'evaluate' }>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!state.evaluation)
    return failed('evaluation is off (attach.eval); rpc and attach have the named operations');
  const { evaluator, realm } = promptOf(state);
  state.style = style;
  signal.addEventListener('abort', () => evaluator.cancel());
  const evaluation = await evaluator.evaluate(text);
  if (evaluation.outcome === 'stopped') return failed(evaluation.why);
  const { outcome, value } = evaluation;
  const operation = realm.producedBy(value);
  realm.forget();
  await evaluator.rest();
  const shown = (data: unknown) => answerText(data, operation, style, width);
  if (outcome === 'thrown') return failed(thrownText(evaluator, value, style));
  if (operation === undefined || !(value instanceof Promise)) return shownBy(evaluator, () => shown(value));
  return done(shown(await unlessCancelled(value, signal)));
}

/** A value of the operator's may run anything when it is printed. */
function shownBy(evaluator: Evaluator, show: () => string): Outcome {
  try {
    return done(evaluator.bounded(show));
  } catch (error) {
    return failed(`it cannot be shown: ${thrownText(evaluator, error, 'shell')}`);
  }
}

function thrownText(evaluator: Evaluator, error: unknown, style: Style): string {
  // Nothing is left of the turn, in which it could not be told what has used it up.
  if (TooLong.is(error)) return errorText(error, style);
  try {
    return evaluator.bounded(() => errorText(error, style));
  } catch {
    return 'Uncaught [what cannot be shown]';
  }
}

/** The realm in which this operator evaluates; it is made for the first evaluation. */
function promptOf(state: State): Prompt {
  if (state.prompt !== undefined) return state.prompt;
  const controller = new AbortController();
  state.atEnd.add(() => controller.abort());
  const realm = operatorRealm(
    state.operations,
    (args) => askedBy(state, args, state.style, currentSignal(state, controller.signal)),
    () => state.prompt?.evaluator,
  );
  const evaluator = new Evaluator({
    globals: realm.globals,
    limit: LIMIT,
    turn: state.turn,
    strays: state.strays,
    failed: (error) => say(state, thrownText(evaluator, error, 'lines')),
  });
  watch(state.self, () => evaluator.close());
  state.prompt = { evaluator, realm };
  return state.prompt;
}

/** An operation that an evaluation calls is given up with the evaluation. */
function currentSignal({ running }: State, ofSession: AbortSignal): AbortSignal {
  let newest = ofSession;
  for (const { signal } of running.values()) newest = signal;
  return newest;
}

function askedBy(state: State, args: readonly unknown[], style: Style, signal: AbortSignal): Asked {
  const { node, self, publisher, who } = state;
  return {
    node,
    who,
    args,
    signal,
    stays: style === 'lines' || style === 'colours',
    say: (line) => say(state, line),
    onGone: (action) => state.atEnd.add(action),
    publisher: (): Pid<MemberMessage> | undefined => whereis(self.system, publisher),
  };
}

function completions(state: State, text: string): string[] {
  const { node, operations, evaluation } = state;
  const byName = new Map([...operations.byName, ['h', operations.help], ['help', operations.help]]);
  const found = operationCompletions({ node, operations: byName, evaluation }, text);
  // Of nothing, JavaScript's own names would be hundreds.
  if (!evaluation || text.trim() === '') return found ?? [];
  const isName = /^\s*[a-z_.]+$/.test(text);
  if (found !== null && !isName) return found;
  return [...new Set([...(found ?? []), ...promptOf(state).evaluator.complete(text)])].sort();
}

/** The outcome comes as a message: it may be there long after the request was handled. */
function finish({ self }: State, id: number, outcome: Outcome): void {
  if (isAlive(self)) send(self, { type: 'done', id, ...outcome });
}

function done(text: string): Outcome {
  return { ok: true, text };
}

function failed(text: string): Outcome {
  return { ok: false, text };
}

function say({ socket }: State, text: string): void {
  write(socket, { type: 'say', text: redactText(text) });
}

function write(socket: Socket, answer: Answer): void {
  if (!socket.writable) return;
  socket.write(`${JSON.stringify(answer)}\n`);
  if (socket.writableLength > UNREAD_LIMIT) socket.destroy();
}
