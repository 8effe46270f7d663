import { type Resident, residents } from '../otp/census.ts';
import { isSupervisor, type ProcessView, viewOf } from '../otp/inspect.ts';
import type { System } from '../otp/system.ts';

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

interface Branch {
  readonly process: Resident;
  children: Resident[];
  below: number;
  waitingBelow: number;
}

/**
 * The tree from its root down as lines, children in the order of their start. Supervisors of a fixed order of children
 * are open, those of any number of alike ones are not; `toggled` turns that round, by pid. One pass over all processes,
 * and a view only of those that are shown.
 */
export function treeRows(system: System, toggled: ReadonlySet<number>): TreeRow[] {
  const branches = new Map<number, Branch>();
  const roots: Resident[] = [];
  for (const process of residents(system)) {
    if (isSupervisor(process)) branches.set(process.id, { process, children: [], below: 0, waitingBelow: 0 });
  }
  for (const process of residents(system)) {
    const { parent } = process;
    const branch = parent === undefined ? undefined : branches.get(parent.id);
    if (branch === undefined) roots.push(process);
    else branch.children.push(process);
    for (let at = branch; at !== undefined; at = branches.get(at.process.parent?.id ?? 0)) {
      at.below++;
      at.waitingBelow += process.mailboxLength;
    }
  }
  const rows: TreeRow[] = [];
  const add = (process: Resident, depth: number): void => {
    const branch = branches.get(process.id);
    const usual = process.behaviour.name !== 'dynamic-supervisor';
    const open = branch !== undefined && usual !== toggled.has(process.id);
    const shown = open ? branch.children.slice(0, CHILDREN) : [];
    rows.push({
      ...viewOf(process),
      depth,
      below: branch?.below ?? 0,
      waitingBelow: branch?.waitingBelow ?? 0,
      open,
      more: open ? branch.children.length - shown.length : 0,
    });
    for (const child of shown) add(child, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}
