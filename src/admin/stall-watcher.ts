/**
 * The thread that watches the event loop, as plain JavaScript: it is started from its text, so that it is the same from
 * sources and from a build. It shares three numbers with the loop: beats, stalls, and whether the loop is stalled now.
 *
 * When the beats stop it asks the stalled thread, through the inspector, where it is. V8 looks for such a request in
 * loops and at calls, so a busy loop answers at once; a blocking system call answers when it returns. The loop is held
 * for the time of reading the stack alone.
 */
export const stallWatcherScript = `
'use strict';
const { workerData } = require('node:worker_threads');
const { Session } = require('node:inspector');
const { writeSync } = require('node:fs');
const { shared, threshold, descriptor, pretty, prefix, node, pid, silent } = workerData;
const [BEATS, STALLS, STALLED] = [0, 1, 2];
const period = Math.max(20, threshold / 8);
const answerWithin = 500, frames = 12, quiet = 10000;

let beats = -1, beatAt = performance.now(), tickAt = beatAt, stalled = false, askedAt = -quiet;

function report(where, waited) {
  const fields = { level: 50, time: new Date().toISOString(), node, pid, stalledForMs: Math.round(waited), where, msg: 'event loop stalled' };
  const line = pretty
    ? '[' + fields.time + '] ERROR: event loop stalled for ' + fields.stalledForMs + ' ms\\n' + where.map((at) => '    at ' + at + '\\n').join('')
    : JSON.stringify(fields) + '\\n';
  // The log of the relay stands still with it. Where this line cannot be written, nobody is helped by an error.
  if (!silent && descriptor !== null) try { writeSync(descriptor, prefix + line); } catch {}
}

function ask(waited) {
  const session = new Session();
  const urls = new Map();
  let done = false;
  let connected = true;
  const post = (method, after) => { if (connected) session.post(method, after); };
  // It may have been asked for twice: the answer comes just as it is given up.
  const leave = () => post('Debugger.disable', () => {
    if (connected) session.disconnect();
    connected = false;
  });
  const end = (where) => {
    if (done) return;
    done = true;
    clearTimeout(limit);
    report(where, waited);
  };
  const limit = setTimeout(() => {
    end(['no JavaScript: it is in a system call, or the garbage collector']);
    // The loop, when it comes back from there, must not be held by a request that is no longer wanted.
    leave();
  }, answerWithin);
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    const where = params.callFrames.slice(0, frames).map(({ functionName, location }) =>
      (functionName || 'anonymous') + ' (' + (urls.get(location.scriptId) || 'script') + ':' + (location.lineNumber + 1) + ':' + (location.columnNumber + 1) + ')');
    post('Debugger.resume', leave);
    end(where);
  });
  post('Debugger.enable');
  post('Debugger.pause');
}

setInterval(() => {
  const now = performance.now();
  // This thread has stood still as well: the machine was asleep, or the process stopped.
  const late = now - tickAt > threshold / 2;
  tickAt = now;
  const count = Atomics.load(shared, BEATS);
  if (count !== beats || late) {
    if (stalled && count !== beats) {
      stalled = false;
      Atomics.store(shared, STALLED, 0);
    }
    beats = count;
    beatAt = now;
    return;
  }
  if (stalled || now - beatAt < threshold) return;
  stalled = true;
  Atomics.add(shared, STALLS, 1);
  Atomics.store(shared, STALLED, 1);
  if (now - askedAt < quiet) {
    report(['not asked: the last time was less than 10 s ago'], now - beatAt);
    return;
  }
  askedAt = now;
  try {
    ask(now - beatAt);
  } catch (error) {
    report(['not known: ' + error.message], now - beatAt);
  }
}, period);
`;
