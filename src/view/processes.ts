import { isAlive, type Pid } from '../otp/process.ts';
import { exit } from '../otp/signal.ts';
import {
  getState,
  isSupervisor,
  type ProcessView,
  type Resident,
  resident,
  residents,
  resume as resumeProcess,
  type Statistics,
  statistics,
  suspend as suspendProcess,
  trace as traceProcess,
  viewOf,
} from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import { connectionDetails, connectionOf, pendingOf } from './connections.ts';
import { describe, inside, type Plain } from './describe.ts';
import { pageOf } from './page-of.ts';
import { processOf } from './references.ts';
import { type NodeView, Refusal } from './relay-view.ts';
import { topicIn, topicRow } from './topics.ts';

/** What is known of one process. */
export function info(node: NodeView, ref: unknown) {
  const pid = processOf(node, ref);
  const view = viewOf(pid);
  const ancestors: string[] = [];
  for (let at = view.parent; at !== null; ) {
    const parent = node.system.processes.get(at);
    if (parent === undefined) break;
    const parentView = viewOf(parent);
    ancestors.push(parentView.name);
    at = parentView.parent;
  }
  return { ...view, ancestors, details: detailsOf(node, pid) };
}

/** What is known of a connection or a topic; null: the process is neither. */
function detailsOf(node: NodeView, pid: Pid<never>): Readonly<Record<string, unknown>> | null {
  const connection = connectionDetails(pid);
  if (connection !== undefined) return { ...connection };
  const topic = topicIn(resident(pid).state);
  return topic === undefined ? null : { ...topicRow(node, topic) };
}

export function state(node: NodeView, ref: unknown): Plain {
  const found = getState(processOf(node, ref));
  const topic = topicIn(found);
  if (topic === undefined) return describe(found);
  // The objects beside it are shared by all topics, such as the accounts of the whole relay.
  const own = Object.entries(found as object).filter(([, value]) => typeof value !== 'object');
  return { ...(describe(Object.fromEntries(own)) as object), topic: inside(topic) };
}

export function stats(node: NodeView, ref: unknown): Statistics {
  return statistics(processOf(node, ref));
}

export function suspend(node: NodeView, ref: unknown, force: boolean): string {
  const pid = processOf(node, ref);
  const { name } = viewOf(pid);
  if (isSupervisor(pid) && !force) throw new Refusal(`${name} is a supervisor: add { force: true }`);
  suspendProcess(pid);
  return `${name} handles nothing until resume('${pid}')`;
}

export function resume(node: NodeView, ref: unknown): string {
  const pid = processOf(node, ref);
  resumeProcess(pid);
  return `${viewOf(pid).name} goes on`;
}

/** Ends a process at once, as a crash would; its supervisor treats it as one. */
export function kill(node: NodeView, ref: unknown, force: boolean): string {
  const pid = processOf(node, ref);
  const { name } = viewOf(pid);
  if (isSupervisor(pid) && !force)
    throw new Refusal(`${name} is a supervisor, and all below it would go with it: add { force: true }`);
  exit(pid, 'kill');
  return isAlive(pid) ? `${name} will end with the message that it is on` : `${name} was killed`;
}

interface TraceOptions {
  readonly max: number;
  /** Milliseconds. */
  readonly period: number;
  readonly say: (line: string) => void;
}

/** Shows the next messages of a process as they are handled. Returns a function that ends it early. */
export function trace(node: NodeView, ref: unknown, { max, period, say }: TraceOptions): () => void {
  const pid = processOf(node, ref);
  const name = viewOf(pid).name;
  let seen = 0;
  return traceProcess(pid, max, period, (message) => {
    seen++;
    say(`${name} ${seen}/${max} ${JSON.stringify(describeMessage(message))}`);
  });
}

/** Contents of messages belong to clients, and some are credentials: they are shown by their size. */
function describeMessage(message: unknown): Plain {
  const plain = describe(message, 2);
  return typeof message === 'object' && message !== null && message.constructor.name !== 'Object'
    ? { [message.constructor.name]: plain }
    : plain;
}

type TopBy = 'mailbox' | 'handled' | 'pending';

/** The `n` processes that have most of something now; with `before`, of what was handled since then. */
export function top({ system }: NodeView, by: TopBy, n: number, before?: Handled) {
  const handledLately = ({ id, handled }: Resident) => handled - (before?.processes.get(id) ?? 0);
  const seconds = before === undefined ? 0 : Math.max(0.001, (performance.now() - before.at) / 1000);
  const score = {
    mailbox: ({ mailboxLength }: Resident) => mailboxLength,
    handled: handledLately,
    pending: pendingFor,
  }[by];
  return pageOf(residents(system), score, { limit: n }).rows.map((process) => {
    const { ref, name, about, mailbox, mailboxHighWater } = viewOf(process);
    const handled = handledLately(process);
    /** In a second; null: it was not looked at. */
    const rate = before === undefined ? null : handled / seconds;
    /** Bytes that wait for a connection's client. */
    const pending = pendingFor(process);
    return { ref, name, about, mailbox, mailboxHighWater, handled, rate, pending };
  });
}

function pendingFor(process: Resident): number {
  const connection = connectionOf(process);
  return connection === undefined ? 0 : pendingOf(connection);
}

/** What every process has handled so far, for `top` to compare with later. */
export interface Handled {
  /** Milliseconds of this process's clock. */
  readonly at: number;
  readonly processes: ReadonlyMap<number, number>;
}

export function handledSoFar({ system }: NodeView): Handled {
  return {
    at: performance.now(),
    processes: new Map(Array.from(residents(system), ({ id, handled }) => [id, handled])),
  };
}

/** One process of the supervision tree, with those below it. */
export interface TreeNode extends ProcessView {
  /** Live processes below it, at any depth. */
  readonly below: number;
  /** Messages that wait in all mailboxes below it. */
  readonly mailboxBelow: number;
  readonly children: readonly TreeNode[];
  /** Children that are not shown, and what they are. */
  readonly more: number;
  readonly folded: readonly Folded[];
}

/** Children that are shown of a supervisor that starts them on demand: thousands of alike ones say nothing. */
const CHILDREN = 10;

/**
 * The supervision tree from its root down; children in the order of their start. `children`: how many alike ones are shown.
 * Partitions, which are alike but for their numbers, fold to the first of them unless that is given.
 */
export function tree({ system }: NodeView, children?: number): TreeNode[] {
  const { roots, below } = branchesOf(system);
  const build = (process: Resident): TreeNode => {
    const branch = below.get(process.id) ?? NOTHING_BELOW;
    const isOnDemand = process.behaviour.name === 'dynamic-supervisor';
    const seen = new Map<string, number>();
    const folded = new Map<string, Folded>();
    const shown: Resident[] = [];
    for (const child of branch.children) {
      const kind = isOnDemand ? '' : kindOf(child);
      const most = children ?? (isOnDemand ? CHILDREN : 1);
      const before = seen.get(kind) ?? 0;
      seen.set(kind, before + 1);
      if (before < most) shown.push(child);
      else folded.set(kind, foldInto(folded.get(kind), child, below.get(child.id)));
    }
    return {
      ...viewOf(process),
      below: branch.count,
      mailboxBelow: branch.mailbox,
      children: shown.map(build),
      more: branch.children.length - shown.length,
      folded: [...folded.values()],
    };
  };
  return roots.map(build);
}

/** Children that are not shown, since they are like one that is. */
export interface Folded {
  readonly count: number;
  readonly first: string;
  readonly last: string;
  /** Of them, and of all below them. */
  readonly below: number;
  readonly mailbox: number;
}

function foldInto(before: Folded | undefined, child: Resident, branch: Branch = NOTHING_BELOW): Folded {
  const name = ownName(child);
  return {
    count: (before?.count ?? 0) + 1,
    first: before?.first ?? name,
    last: name,
    below: (before?.below ?? 0) + branch.count,
    mailbox: (before?.mailbox ?? 0) + branch.mailbox + child.mailboxLength,
  };
}

function ownName({ name, label, behaviour }: Resident): string {
  return name ?? label ?? behaviour.name;
}

/** What a child is but for the number at its end; of one without a number, itself. */
function kindOf(child: Resident): string {
  const name = ownName(child);
  return /\.\d+$/.test(name) ? name.replace(/\d+$/, '') : `${name}${child.id}`;
}

/** What is below a supervisor: its children in the order of their start, and all processes at any depth added up. */
interface Branch {
  readonly children: readonly Resident[];
  readonly count: number;
  /** Messages that wait in their mailboxes. */
  readonly mailbox: number;
}

export const NOTHING_BELOW: Branch = { children: [], count: 0, mailbox: 0 };

/**
 * The shape of the tree, in one pass over all processes: a supervisor has started before its children. Branches are found
 * by the pid of their supervisor.
 */
export function branchesOf(system: System): {
  readonly roots: readonly Resident[];
  readonly below: ReadonlyMap<number, Branch>;
} {
  const roots: Resident[] = [];
  const below = new Map<number, { readonly children: Resident[]; count: number; mailbox: number }>();
  for (const process of residents(system)) {
    if (isSupervisor(process)) below.set(process.id, { children: [], count: 0, mailbox: 0 });
    const siblings = below.get(process.parent?.id ?? 0)?.children ?? roots;
    siblings.push(process);
    for (let at = process.parent; at !== undefined; at = at.parent) {
      const branch = below.get(at.id);
      if (branch === undefined) break;
      branch.count++;
      branch.mailbox += process.mailboxLength;
    }
  }
  return { roots, below };
}
