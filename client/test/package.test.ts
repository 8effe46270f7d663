import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../../test/support/arrivals.ts';
import { openBrowser, openPage, originOf } from '../../test/support/browser.ts';
import { startTestRelay } from '../../test/support/relay.ts';
import { packageRoot, temporaryFolder } from '../../test/support/relay-process.ts';
import { connect } from '../src/node.ts';
import { bundle } from './support/page.ts';

const run = promisify(execFile);
const client = join(packageRoot, 'client');
const readme = readFileSync(join(client, 'README.md'), 'utf8');
const tsc = join(packageRoot, 'node_modules', '.bin', 'tsc');

/** The README's blocks in one language. */
function snippets(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, its]) => its === language)
    .map(([, , text = '']) => text);
}

/** The package as npm has installed it from its tarball. */
let installed = '';
const scratch = mkdtempSync(join(tmpdir(), 'fanfare-package-'));

test.before(async () => {
  const [packing, user] = [join(scratch, 'packing'), join(scratch, 'user')];
  mkdirSync(packing);
  mkdirSync(user);
  // Compiled here, not in the tree, where others may be at work with what is compiled.
  await run(tsc, ['-p', 'client', '--outDir', join(packing, 'dist')], { cwd: packageRoot });
  for (const file of ['package.json', 'README.md', 'LICENSE'])
    cpSync(join(client, file), join(packing, file));
  const npm = (...args: string[]) =>
    run('npm', [...args, '--offline', '--no-audit', '--no-fund', '--no-update-notifier'], { cwd: user });
  writeFileSync(join(user, 'package.json'), '{"name":"user","private":true}');
  const { stdout } = await npm('pack', packing, '--json');
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }];
  await npm('install', `./${filename}`);
  installed = join(user, 'node_modules', 'fanfare-client');
});

test.after.always(() => rmSync(scratch, { recursive: true, force: true }));

/** A project that has the package. `withWs`: `ws` is there too. */
function project(t: ExecutionContext, { withWs }: { readonly withWs: boolean }): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'package.json'), '{"name":"project","private":true,"type":"module"}');
  cpSync(installed, join(folder, 'node_modules', 'fanfare-client'), { recursive: true });
  if (withWs) symlinkSync(join(packageRoot, 'node_modules', 'ws'), join(folder, 'node_modules', 'ws'));
  return folder;
}

test('in a browser it is 5.0 kB, minified and compressed', async (t) => {
  const { length } = gzipSync(await bundle('client/src/browser.ts', { minify: true }), { level: 9 });
  t.log(`${length} bytes`);
  t.true(length <= 5000, `${length} bytes`);
});

test('the package has what it needs, and no more', (t) => {
  t.deepEqual(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);
  const compiled = readdirSync(join(installed, 'dist'));
  const sources = readdirSync(join(client, 'src')).map((name) => name.replace(/\.ts$/, ''));
  t.deepEqual(compiled.sort(), sources.flatMap((name) => [`${name}.d.ts`, `${name}.js`]).sort());
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  t.is(manifest['dependencies'], undefined);
  t.is(manifest['sideEffects'], false);
});

test('import and require() load the same, for Node and for browsers, and nothing happens at that', async (t) => {
  const folder = project(t, { withWs: false });
  writeFileSync(
    join(folder, 'import.mjs'),
    "console.log(Object.keys(await import('fanfare-client')).join());",
  );
  writeFileSync(
    join(folder, 'require.cjs'),
    "console.log(Object.keys(require('fanfare-client')).sort().join());",
  );
  for (const file of ['import.mjs', 'require.cjs'])
    for (const conditions of [[], ['--conditions=browser']]) {
      const args = ['--no-warnings', ...conditions, file];
      const { stdout } = await run(process.execPath, args, { cwd: folder });
      t.is(stdout.trim(), 'FanfareError,connect');
    }
});

const talk = (url: string) => `
  import { connect } from 'fanfare-client';
  const client = connect('${url}', { retry: { attempts: 0 } });
  try {
    const subscription = client.subscribe('a');
    await subscription.ready;
    await client.publish('a', 'Hello');
    for await (const event of subscription) {
      console.log(event.content);
      break;
    }
  } catch (error) {
    console.log(error.message);
  }
  await client.close();`;

test('in Node it uses ws, and without it the global WebSocket, or says what to install', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  for (const withWs of [true, false]) {
    const folder = project(t, { withWs });
    writeFileSync(join(folder, 'talk.js'), talk(url));
    const { stdout } = await run(process.execPath, ['talk.js'], { cwd: folder });
    if (withWs || 'WebSocket' in globalThis) t.is(stdout.trim(), 'Hello');
    else t.regex(stdout, /npm install ws/);
  }
});

/** As much of other libraries as the README's recipes use. */
const OTHERS = `
declare module 'react' {
  export function useState<T>(first: T): [T, (next: T | ((last: T) => T)) => void];
  export function useEffect(effect: () => void | (() => void), on: readonly unknown[]): void;
}
declare module 'vue' {
  export interface Ref<T> { value: T }
  export function ref<T>(first: T): Ref<T>;
  export function onScopeDispose(end: () => void): void;
}`;

for (const [name, options, types] of [
  ['bundler', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] }, false],
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node'] }, true],
] as const)
  test(`the types hold under ${name}, and so do the README's snippets`, async (t) => {
    const folder = project(t, { withWs: false });
    if (types) {
      mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
      for (const its of ['@types/node', 'undici-types'])
        symlinkSync(join(packageRoot, 'node_modules', its), join(folder, 'node_modules', its));
    }
    const compilerOptions = { target: 'es2022', strict: true, noEmit: true, jsx: 'preserve', ...options };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }),
    );
    writeFileSync(join(folder, 'others.d.ts'), OTHERS);
    const all = [...snippets('ts'), ...snippets('tsx')];
    t.is(all.length, 4);
    all.forEach((text, index) => void writeFileSync(join(folder, `snippet-${index}.tsx`), text));
    writeFileSync(
      join(folder, 'wrong.ts'),
      `import { connect } from 'fanfare-client';
       // @ts-expect-error: that is no number
       connect('ws://a', { silence: 'long' });
       const subscription = connect('ws://a').subscribe<number>('a');
       for await (const event of subscription)
         // @ts-expect-error: a gap has no content
         event.content;
       export const at: string | undefined = subscription.position;`,
    );
    const { stdout, status } = spawnSync(tsc, ['-p', '.'], { cwd: folder, encoding: 'utf8' });
    t.is(stdout, '');
    t.is(status, 0);
  });

test('the chat of the README says what was said', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    topics: [{ pattern: 'chat.*', history: true }],
  });
  const folder = project(t, { withWs: true });
  const chat = snippets('ts').find((text) => text.includes('for await')) ?? '';
  const text = chat.replace('127.0.0.1:55000', `127.0.0.1:${relay.port('pusu')}`);
  t.not(text, chat);
  // Its types go, as with every way to run TypeScript.
  writeFileSync(join(folder, 'chat.js'), text.replace('<{ from: string; text: string }>', ''));
  const { stdout } = await run(process.execPath, ['chat.js'], { cwd: folder });
  t.is(stdout, 'me: Hello\n');
});

test('the page without a bundler hears the news, from the files as they are', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const folder = project(t, { withWs: false });
  const [html = ''] = snippets('html');
  const page = `<!doctype html><link rel=icon href="data:,"><body>${html.replace('55000', `${relay.port('pusu')}`)}`;
  const dist = join(folder, 'node_modules', 'fanfare-client', 'dist');
  const origin = await originOf(t, ({ url = '' }, response) => {
    const [, file] = /^\/fanfare-client\/dist\/([\w-]+\.js)$/.exec(url) ?? [];
    response.setHeader('Content-Type', file === undefined ? 'text/html' : 'text/javascript');
    response.end(file === undefined ? page : readFileSync(join(dist, file)));
  });
  const browser = await openBrowser(t);
  const opened = await openPage(t, browser, origin);
  const publisher = connect(`ws://127.0.0.1:${relay.port('pusu')}`, { offline: { queue: 100_000 } });
  t.teardown(() => publisher.close());
  await eventually(async () => {
    await publisher.publish('news', 'Read all about it');
    return ((await opened.page.textContent('body')) ?? '').includes('Read all about it');
  }, 'the news');
  t.deepEqual(opened.complaints, []);
});
