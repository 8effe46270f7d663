import { findProcess } from '../otp/inspect.ts';
import { isAlive } from '../otp/process.ts';
import type { Plain } from '../view/describe.ts';
import type { LinkView } from '../view/link-view.ts';
import type { Page } from '../view/page-of.ts';
import { info, type ProcessInfo, state } from '../view/processes.ts';
import type { RelayView } from '../view/relay-view.ts';
import type { Sample, Sampling } from '../view/sampling.ts';
import { connectionPage, processPage, topicPage } from './observer-lists.ts';
import type { ObserverQuery } from './observer-query.ts';
import type { Rates } from './rates.ts';
import { type TreeRow, treeRows } from './tree-rows.ts';

/** What is pushed to an observer page: numbers each second, and the list that it looks at every other second. */
export interface Frame {
  readonly sample: Sample | null;
  readonly totals: Totals;
  readonly list: Page<unknown> | null;
  readonly detail: Detail | null;
}

export interface Totals {
  readonly state: 'ready' | 'starting' | 'draining' | 'shedding';
  /** Milliseconds. */
  readonly uptime: number;
  readonly processes: number;
  readonly topics: number;
  readonly connections: number;
  readonly links: number;
  readonly linksDown: number;
  readonly reports: number;
  readonly crashed: number;
  readonly pending: number;
  readonly slow: number;
  readonly dropped: number;
  readonly linesLost: number;
  readonly heapLimit: number;
}

/** A process in full, or the news that it is gone. */
export interface Detail {
  readonly pid: number;
  readonly info: ProcessInfo | null;
  readonly rate: number;
  readonly state: Plain;
}

const REPORTS = 100;

export function totalsOf(view: RelayView, sampling: Sampling, heapLimit: number): Totals {
  const { system, topics, admission } = view;
  const { pending, behind, stalled } = sampling.census();
  const links = view.links() ?? [];
  let topicCount = 0;
  for (const _ of topics.all()) topicCount++;
  return {
    state: view.phase() === 'ready' && admission.shedding ? 'shedding' : view.phase(),
    uptime: process.uptime() * 1000,
    processes: system.processes.size,
    topics: topicCount,
    connections: view.doors().reduce((sum, { counters }) => sum + counters.connections, 0),
    links: links.length,
    linksDown: links.filter(({ state }) => state === 'down').length,
    reports: view.reports.last(REPORTS).length,
    crashed: system.counters.crashed,
    pending,
    slow: behind + stalled,
    dropped: topics.accounting.droppedInAll,
    linesLost: view.linesLost(),
    heapLimit,
  };
}

export function listOf(view: RelayView, rates: Rates, query: ObserverQuery): Page<unknown> {
  switch (query.tab) {
    case 'tree':
      return whole<TreeRow>(treeRows(view.system, query.toggled));
    case 'processes':
      return processPage(view, rates, query);
    case 'topics':
      return topicPage(view, rates, query);
    case 'connections':
      return connectionPage(view, rates, query);
    case 'links':
      return whole<LinkView>(view.links() ?? []);
    case 'reports':
      return whole(view.reports.last(REPORTS).toReversed());
  }
}

export function detailOf(view: RelayView, rates: Rates, id: number): Detail {
  const pid = findProcess(view.system, id);
  if (pid === undefined || !isAlive(pid)) return { pid: id, info: null, rate: 0, state: null };
  return { pid: id, info: info(view, id), rate: rates.of(id).handledRate, state: state(view, id) };
}

function whole<T>(rows: readonly T[]): Page<T> {
  return { rows, total: rows.length };
}
