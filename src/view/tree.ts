import { liveProcesses, type ProcessView, viewOf } from '../otp/inspect.ts';
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
export function tree(node: NodeView, children = CHILDREN): TreeNode[] {
  const views = new Map<number, ProcessView>();
  const byParent = new Map<number | null, ProcessView[]>();
  for (const pid of liveProcesses(node.system)) {
    const view = viewOf(pid);
    views.set(view.id, view);
    const siblings = byParent.get(view.parent);
    if (siblings === undefined) byParent.set(view.parent, [view]);
    else siblings.push(view);
  }
  const build = (view: ProcessView): TreeNode => {
    const all = (byParent.get(view.id) ?? []).map(build);
    const shown = view.behaviour === 'dynamic-supervisor' ? all.slice(0, children) : all;
    return {
      ...view,
      below: all.reduce((sum, { below }) => sum + below + 1, 0),
      mailboxBelow: all.reduce((sum, { mailbox, mailboxBelow }) => sum + mailbox + mailboxBelow, 0),
      children: shown,
      more: all.length - shown.length,
    };
  };
  const roots = [...views.values()].filter(({ parent }) => parent === null || !views.has(parent));
  return roots.map(build);
}
