import { isSupervisor, type ProcessView, type Resident, residents, viewOf } from '../otp/inspect.ts';
import type { System } from '../otp/system.ts';
import type { NodeView } from './node-view.ts';

/** One process of the supervision tree, with those below it. */
export interface TreeNode extends ProcessView {
  /** Live processes below it, itself not counted. */
  readonly below: number;
  /** Messages that wait in all mailboxes below it. */
  readonly mailboxBelow: number;
  readonly children: readonly TreeNode[];
  /** Children that are not shown. */
  readonly more: number;
}

/** Children that are shown of a supervisor that starts them on demand: thousands of alike ones say nothing. */
const CHILDREN = 10;

/** The supervision tree from its root down; children in the order of their start. */
export function tree({ system }: NodeView, children = CHILDREN): TreeNode[] {
  const { roots, below } = branchesOf(system);
  const build = (process: Resident): TreeNode => {
    const branch = below.get(process.id) ?? NOTHING_BELOW;
    const isOnDemand = process.behaviour.name === 'dynamic-supervisor';
    const shown = isOnDemand ? branch.children.slice(0, children) : branch.children;
    return {
      ...viewOf(process),
      below: branch.count,
      mailboxBelow: branch.mailbox,
      children: shown.map(build),
      more: branch.children.length - shown.length,
    };
  };
  return roots.map(build);
}

/** What is below a supervisor: its children in the order of their start, and all processes at any depth added up. */
export interface Branch {
  readonly children: readonly Resident[];
  readonly count: number;
  /** Messages that wait in their mailboxes. */
  readonly mailbox: number;
}

export interface Branches {
  readonly roots: readonly Resident[];
  /** By the pid of the supervisor. */
  readonly below: ReadonlyMap<number, Branch>;
}

export const NOTHING_BELOW: Branch = { children: [], count: 0, mailbox: 0 };

/** The shape of the tree, in one pass over all processes: a supervisor has started before its children. */
export function branchesOf(system: System): Branches {
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
