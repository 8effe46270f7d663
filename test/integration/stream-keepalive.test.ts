import test from 'ava';
import { WebSocketServer } from 'ws';
import { Gate } from '../../src/acceptor/gate.ts';
import { listener } from '../../src/acceptor/listener.ts';
import { everything } from '../../src/authenticator/permissions.ts';
import { Connections } from '../../src/connection/connections.ts';
import type { DoorContext } from '../../src/connection/door-context.ts';
import { newDoorCounters } from '../../src/connection/door-counters.ts';
import { pinghubDoor } from '../../src/door/pinghub/door.ts';
import { startApplication } from '../../src/otp/application-master.ts';
import { worker } from '../../src/otp/child-spec.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { System } from '../../src/otp/system.ts';
import { newAccounting } from '../../src/topic/accounting.ts';
import { Topics } from '../../src/topic/topics.ts';
import { accepted } from '../config/support.ts';
import { connectRaw, post } from '../support/raw-client.ts';

// The times of pinghub's heartbeat are fixed, and too long to wait for: here the door is wired with shorter ones.

test('a quiet stream gets a comment at each beat, between events, and is never asked for a pong', async (t) => {
  const system = new System({ report: (report) => t.fail(JSON.stringify(report)) });
  const topics = new Topics(newAccounting());
  const connections = new Connections();
  const guard = { anonymous: everything, server: null };
  let port = 0;
  const log = {
    closed: () => undefined,
    refused: () => undefined,
    notAdmitted: () => undefined,
    note: () => undefined,
    warn: () => undefined,
    listening: (_door: string, at: object) => {
      if ('port' in at) port = Number(at.port);
    },
  };
  const { limits } = accepted('doors: {}');
  const gate = new Gate({ ...limits, connections: 0 });
  const context: DoorContext = {
    door: pinghubDoor({ topicLength: 256 }),
    realm: 'main',
    guards: { authenticator: guard, apikeys: guard, open: guard },
    topics,
    limits,
    heartbeat: { ping: 15, pong: 5 },
    grace: 0,
    counters: newDoorCounters(),
    webSockets: new WebSocketServer({ noServer: true }),
    attempts: gate.attempts,
    log,
  };
  const edge = { origin: null, tls: null, trustedProxies: [], proxyProtocol: false, open: false };
  const startHandler = (args: Parameters<Connections['start']>[1]) => connections.start(system, args);
  const at = { host: '127.0.0.1', port: 0 };
  const tree = startApplication(
    system,
    supervisor('root', { strategy: 'rest_for_one' }, [
      topics.spec,
      connections.spec,
      worker('listener', listener, { context, at, edge, gate, startHandler, log }),
    ]),
  );
  t.teardown(() => {
    tree.stop();
    return tree.ended;
  });
  t.true((await tree.started).ok);

  const stream = await connectRaw(t, port);
  stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  const comments = (count: number) => ':\n\n'.repeat(count);
  const { length } = await stream.until('\r\n\r\n');
  await stream.until(comments(4));
  await post(port, '/t', 'event');
  const text = await stream.until(`data: event\n\n${comments(4)}`);
  t.regex(text.slice(length), /^(:\n\n)*data: event\n\n(:\n\n)+$/);
});
