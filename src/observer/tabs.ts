import type { ShownTab, Tab } from './tab.ts';
import { connections } from './tabs/connections.ts';
import { gone } from './tabs/gone.ts';
import { links } from './tabs/links.ts';
import { processes } from './tabs/processes.ts';
import { relays } from './tabs/relays.ts';
import { reports } from './tabs/reports.ts';
import { timeline } from './tabs/timeline.ts';
import { topics } from './tabs/topics.ts';
import { tree } from './tabs/tree.ts';

/** The tabs of the observer page, from left to right, by their names in addresses. A new one is a line here. */
const tabs = {
  tree,
  processes,
  topics,
  connections,
  gone,
  relays,
  links,
  timeline,
  reports,
} satisfies Readonly<Record<string, Tab>>;

/** What the page knows of its tabs from the start. */
export const shownTabs: Readonly<Record<string, ShownTab>> = Object.fromEntries(
  Object.entries(tabs).map(([name, { shown }]) => [name, shown]),
);

/** The tab of that name; undefined: there is none. */
export function tabOf(name: string): Tab | undefined {
  return Object.hasOwn(tabs, name) ? tabs[name as keyof typeof tabs] : undefined;
}

/** The tab that is shown where none is named. */
export const firstTab: Tab = tree;
