import { dirname } from 'node:path';
import test from 'ava';
import { NodeClient } from '../../src/attach/client/node-client.ts';
import { ask } from '../support/admin.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

const config = (folder: string) => `node: typed-at
var_dir: ${folder}
doors:
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: null }
admin: { host: 127.0.0.1, port: 0 }
`;

/** What people type, by mistake or to see what happens, each in a session of its own. */
const TYPED: readonly string[] = [
  // Nobody settles it, and it is collected.
  'await new Promise(() => {})',
  'for await (const one of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });',
  // No text.
  '({',
  'const = 1',
  'return',
  'await',
  '('.repeat(100_000),
  // No end.
  'for (;;);',
  'for (;;) await null',
  'eval("for (;;);")',
  'Promise.resolve().then(() => { for (;;); }); 1',
  'const f = () => queueMicrotask(f); f()',
  'const f = () => process.nextTick(f); f()',
  'setInterval(() => { for (;;); }); 1',
  'setTimeout(async () => { for (;;) await null; }); 1',
  'new Promise((resolve) => setTimeout(resolve)).then(() => { for (;;); }); 1',
  'for (;;) publish("topic:main:nobody", "here")',
  // The end of the process.
  'process.exit()',
  'process.exit(1)',
  'require("process").exit()',
  'process.abort()',
  'process.reallyExit(1)',
  'process.kill(process.pid)',
  'process.kill(process.pid, "SIGKILL")',
  'process.kill(0)',
  'exit',
  'quit()',
  // Nobody catches it.
  'Promise.reject(1); 1',
  'Promise.reject(new Error("lost")); 1',
  '(async () => null.x)(); 1',
  'process.nextTick(() => null.x); 1',
  'queueMicrotask(() => null.x); 1',
  'node_stats(1, 1).then(() => null.x); 1',
  'members("nobody").x; 1',
  'require("timers").setTimeout(() => null.x); 1',
  'require("timers").setTimeout(() => { throw 1; }); 1',
  'require("timers").setTimeout(() => members({})); 1',
  'require("fs").readFile("/nowhere", (error) => { throw error; }); 1',
  'require("fs/promises").readFile("/nowhere"); 1',
  'require("net").connect(1, "127.0.0.1"); 1',
  'require("http").get("http://127.0.0.1:1/"); 1',
  'new (require("events"))().emit("error", new Error("nobody listens"))',
  'import("node:nothing"); 1',
  // Too large, or too deep.
  '(function f() { f(); })()',
  '(function f() { try { topics(); } catch {} f(); })()',
  '"x".repeat(2 ** 29 - 24)',
  '"x".repeat(2 ** 30)',
  'Buffer.alloc(10 * 2 ** 30)',
  'new ArrayBuffer(10 * 2 ** 30)',
  'new Array(2 ** 32 - 1)',
  'let a = []; for (let n = 0; n < 1e5; n++) a = [a]; a',
  'const a = {}; a.a = a',
  '2n ** (2n ** 40n)',
  // It cannot be shown.
  '({ get a() { throw 1; }, get constructor() { throw 1; } })',
  'new Proxy({}, { get() { throw 1; }, has() { throw 1; }, getPrototypeOf() { throw 1; }, ownKeys() { throw 1; } })',
  'new Proxy(new Error("x"), { get() { for (;;); } })',
  'throw new Proxy({}, { has() { for (;;); } })',
  '({ [Symbol.for("nodejs.util.inspect.custom")]() { for (;;); } })',
  '({ toJSON() { for (;;); } })',
  'Object.create(null)',
  'throw null',
  'throw Object.create(null)',
  'throw { get stack() { for (;;); }, message: 1 }',
  'Promise.reject({ get stack() { for (;;); }, message: 1 }); 1',
  'Promise.reject(Object.create(null)); 1',
  'Symbol("a")',
  // A realm that is no longer as it was.
  'Error.prepareStackTrace = () => { for (;;); }; null.x',
  'Error.prepareStackTrace = () => { throw 1; }; Promise.reject(new Error("x")); 1',
  'Error.stackTraceLimit = Infinity; (function f() { f(); })()',
  'Promise.prototype.then = null; await 1',
  'Object.defineProperty(Promise.prototype, "constructor", { get() { for (;;); } }); await Promise.resolve(1)',
  'Object.defineProperty(Object.prototype, "then", { get() { for (;;); } }); await {}',
  'for (const name of Object.getOwnPropertyNames(globalThis)) delete globalThis[name]; 1',
  'globalThis.Promise = globalThis.Error = null; await 1',
  'Object.freeze(globalThis); const a = 1',
];

/** Sessions that type at the same time. */
const AT_ONCE = 8;

test('nothing that is typed at the prompt ends the relay or keeps it from serving', async (t) => {
  const relay = runRelay(t, ['--config', configFile(t, config(temporaryFolder(t)))]);
  const { socket } = await relay.log.find(({ msg }) => msg === 'console', 'the socket');
  await relay.log.find(({ msg }) => msg === 'ready', 'ready');
  const folder = dirname(String(socket));
  const there = await connectWs(t, await relay.port('pinghub'), '/there');
  const ended = relay.exited.then(({ code, err }) => {
    throw new Error(`the relay has ended with ${code}: ${err}`);
  });
  const admin = await relay.port('admin');
  for (let from = 0; from < TYPED.length; from += AT_ONCE) {
    const texts = TYPED.slice(from, from + AT_ONCE);
    await Promise.race([ended, Promise.all(texts.map((text) => typed(folder, text)))]);
    there.send('still here');
    t.is(await Promise.race([ended, there.next()]), 'still here', texts.join('\n'));
  }
  t.is((await ask(admin, '/health/ready')).status, 200);
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 0);
  t.deepEqual(
    relay.log.all.filter(({ level }) => Number(level) >= 60).map(({ msg }) => msg),
    [],
  );
});

/** What was typed has an answer; then what it has left behind is collected, and so is the session. */
async function typed(folder: string, text: string): Promise<void> {
  const client = await NodeClient.connect(folder);
  if (client === undefined) throw new Error('nobody answers');
  await client.evaluate(text, text.includes('toJSON') ? 'json' : 'lines');
  await client.call('bin_leak', [1], 'json');
  // What was left running has had its turn as well.
  await client.call('node_stats', [1, 300], 'json');
  client.close();
}
