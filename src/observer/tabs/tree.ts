import { type ProcessView, type Resident, viewOf } from '../../otp/sys.ts';
import type { System } from '../../otp/system.ts';
import { branchesOf, NOTHING_BELOW } from '../../view/processes.ts';
import { fixedTab } from '../tab.ts';

export const tree = fixedTab(
  {
    title: 'Supervision',
    empty: 'No processes.',
    key: ['id'],
    pid: 'id',
    also: ['name', 'about', 'type', 'parent', 'status', 'depth'],
    columns: [
      { field: 'title', head: 'Process', kind: 'tree' },
      { field: 'behaviour', head: 'Runs', kind: 'runs' },
      { field: 'below', head: 'Below', hint: 'Processes below, at any depth', kind: 'count' },
      { field: 'waiting', head: 'Mailbox', hint: 'Of it, and of all below it', kind: 'count' },
      {
        field: 'mailboxHighWater',
        head: 'Longest',
        hint: 'The longest that the mailbox has been',
        kind: 'count',
      },
      { field: 'handled', head: 'Handled', kind: 'count' },
      { field: 'restarts', head: 'Restarts', kind: 'count' },
      { field: 'ref', head: 'Pid', kind: 'mono' },
    ],
  },
  ({ view }, { toggled }) => treeRows(view.system, toggled),
);

/** A line of the supervision tree. */
interface TreeRow extends ProcessView {
  readonly title: string;
  readonly depth: number;
  /** Processes below, at any depth. */
  readonly below: number;
  /** Messages that wait in its mailbox, and in those below. */
  readonly waiting: number;
  readonly open: boolean;
  /** Children that are not shown though it is open. */
  readonly more: number;
}

/** Children of one supervisor that are shown; the others are in the lists. */
const CHILDREN = 50;

/**
 * The tree from its root down as lines, children in the order of their start. Supervisors of a fixed order of children
 * are open, those of any number of alike ones are not; `toggled` turns that round, by pid. A view is made only of the
 * processes that are shown.
 */
function treeRows(system: System, toggled: ReadonlySet<number>): TreeRow[] {
  const { roots, below } = branchesOf(system);
  const rows: TreeRow[] = [];
  const add = (process: Resident, depth: number): void => {
    const branch = below.get(process.id);
    const { children, count, mailbox } = branch ?? NOTHING_BELOW;
    const usual = process.behaviour.name !== 'dynamic-supervisor';
    const open = branch !== undefined && usual !== toggled.has(process.id);
    const shown = open ? children.slice(0, CHILDREN) : [];
    const more = open ? children.length - shown.length : 0;
    const view = viewOf(process);
    const title = view.about ?? (view.name.replace(/<\d+>$/, '') || view.name);
    const waiting = view.mailbox + mailbox;
    rows.push({ ...view, title, depth, below: count, waiting, open, more });
    for (const child of shown) add(child, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}
