import { readdirSync, readFileSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { NodeClient } from '../../src/attach/client/node-client.ts';
import type { Style } from '../../src/attach/protocol.ts';
import { shownTabs } from '../../src/observer/tabs.ts';
import { ask } from './admin.ts';

/** All that a relay shows to those who may look into it, by where it was seen. */
export type Seen = Map<string, string>;

/** A session of an operator who watches what the authenticators and listeners are sent while something happens. */
export async function whileTraced(folder: string, action: () => Promise<void>): Promise<string> {
  const client = await attach(folder);
  let said = '';
  client.onSay = (text) => {
    said += `${text}\n`;
  };
  for (const pid of await livePids(client))
    await client.call('trace', [pid, { max: 500, period: 60_000 }], 'lines');
  await action();
  client.close();
  return said;
}

/** Values of the relay's inside as they are, and not as the operations show them. */
const RAW = [
  '[...relay.system.processes.values()].map((one) => one.state)',
  '[...relay.system.processes.values()].map((one) => one.state?.context ?? one.state?.args ?? one.state)',
  'process.env',
  '({ ...process.env })',
  'process.argv',
  'process.argv.join(" ")',
  'Object.entries(process.env)',
  'new Map(Object.entries(process.env))',
  'console.log(process.argv, process.env)',
  'throw new Error(process.argv.join(" "))',
  'throw process.env',
  'Promise.reject(new Error(JSON.stringify(process.argv)))',
  'setTimeout(() => { throw new Error(process.argv.join(" ")) })',
];

/** Asks everything that can be asked at the prompt. `conns`: connections that are gone. */
export async function atThePrompt(folder: string, conns: readonly number[]): Promise<Seen> {
  const seen: Seen = new Map();
  const client = await attach(folder);
  client.onSay = (text) => seen.set('said', `${seen.get('said') ?? ''}${text}\n`);
  const pids = await livePids(client);
  for (const style of ['lines', 'colours', 'shell', 'json'] as const satisfies readonly Style[]) {
    const note = async (what: string, answer: Promise<{ readonly text: string }>) =>
      seen.set(`${what} (${style})`, (await answer).text);
    for (const name of ['tree', 'topics', 'connections', 'peers', 'top', 'runtime_info', 'bin_leak', 'h'])
      await note(name, client.call(name, [], style));
    await note('reports', client.call('reports', [1000], style));
    await note('reload', client.call('reload', [], style));
    for (const pid of pids)
      for (const name of ['i', 'state', 'stats'])
        await note(`${name} ${pid}`, client.call(name, [pid], style));
    for (const conn of conns) await note(`why ${conn}`, client.call('why', [conn], style));
    for (const text of RAW) await note(text, client.evaluate(text, style));
  }
  seen.set('completion', (await client.complete("members('topic:")).join('\n'));
  client.close();
  return seen;
}

/** What the admin port shows, with each of the observer's lists and the process `pid` in full. */
export async function atTheAdminPort(port: number, pid: number): Promise<Seen> {
  const seen: Seen = new Map();
  for (const path of ['/metrics', '/health/live', '/health/ready', '/observer', '/nothing'])
    seen.set(path, (await ask(port, path)).body);
  for (const tab of Object.keys(shownTabs)) {
    seen.set(`feed of ${tab}`, await oneList(port, `/observer/feed?tab=${tab}&pid=${pid}`));
    for (const format of ['json', 'csv'])
      seen.set(`${format} of ${tab}`, (await ask(port, `/observer/export?tab=${tab}&format=${format}`)).body);
  }
  return seen;
}

/** Every file below a folder. */
export function filesBelow(folder: string): Seen {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return new Map(
    files.filter((file) => statSync(file).isFile()).map((file) => [file, readFileSync(file, 'latin1')]),
  );
}

async function attach(folder: string): Promise<NodeClient> {
  const client = await NodeClient.connect(folder);
  if (client === undefined) throw new Error(`nobody answers at ${folder}`);
  return client;
}

async function livePids(client: NodeClient): Promise<number[]> {
  const { text } = await client.evaluate('[...relay.system.processes.keys()]', 'json');
  return JSON.parse(text) as number[];
}

/** The feed up to the first frame that has the list and the process in it. */
function oneList(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (!/"list":\{.*\n\n/.test(text)) return;
        response.destroy();
        resolve(text);
      });
    });
    request.on('error', reject);
  });
}
