import type { Page } from 'playwright-core';
import { eventually } from './arrivals.ts';

/** Opens an EventSource in a page, and notes there what comes: `open`, messages as they are, gaps as `missed N`. */
export const listenIn = (page: Page, url: string): Promise<void> =>
  page.evaluate((at) => {
    const seen: string[] = [];
    const stream = new EventSource(at);
    stream.onopen = () => seen.push('open');
    stream.onmessage = ({ data }) => seen.push(data);
    stream.addEventListener('missed', (event) => seen.push(`missed ${(event as MessageEvent).data}`));
    Object.assign(globalThis, { seen });
  }, url);

export const seenBy = (page: Page): Promise<string[]> =>
  page.evaluate(() => (globalThis as unknown as { readonly seen: string[] }).seen);

export const sees = (page: Page, what: string): Promise<void> =>
  eventually(async () => (await seenBy(page)).includes(what), what);
