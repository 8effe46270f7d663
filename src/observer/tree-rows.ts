import { type ProcessView, type Resident, viewOf } from '../otp/inspect.ts';
import type { System } from '../otp/system.ts';
import { branchesOf, NOTHING_BELOW } from '../view/tree.ts';

/** A line of the supervision tree as the observer page shows it. */
export interface TreeRow extends ProcessView {
  readonly depth: number;
  /** Processes below, at any depth, and the messages that wait in their mailboxes. */
  readonly below: number;
  readonly waitingBelow: number;
  readonly open: boolean;
  /** Children that are not shown though it is open. */
  readonly more: number;
}

/** Children of one supervisor that are shown: more are to be looked for in the lists. */
const CHILDREN = 50;

/**
 * The tree from its root down as lines, children in the order of their start. Supervisors of a fixed order of children
 * are open, those of any number of alike ones are not; `toggled` turns that round, by pid. A view is made only of the
 * processes that are shown.
 */
export function treeRows(system: System, toggled: ReadonlySet<number>): TreeRow[] {
  const { roots, below } = branchesOf(system);
  const rows: TreeRow[] = [];
  const add = (process: Resident, depth: number): void => {
    const branch = below.get(process.id);
    const { children, count, mailbox } = branch ?? NOTHING_BELOW;
    const usual = process.behaviour.name !== 'dynamic-supervisor';
    const open = branch !== undefined && usual !== toggled.has(process.id);
    const shown = open ? children.slice(0, CHILDREN) : [];
    const more = open ? children.length - shown.length : 0;
    rows.push({ ...viewOf(process), depth, below: count, waitingBelow: mailbox, open, more });
    for (const child of shown) add(child, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}
