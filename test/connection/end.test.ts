import test from 'ava';
import { type End, tellingOf } from '../../src/connection/end.ts';

const ends: Readonly<Record<End['type'], readonly [End, string]>> = {
  slow: [{ type: 'slow', limit: 'pending', reached: 9 }, '1013 slow'],
  'no pong': [{ type: 'no pong', after: 9 }, '1006 no pong'],
  'no acknowledgement': [{ type: 'no acknowledgement', after: 9 }, '1006 no acknowledgement'],
  'connection lost': [{ type: 'connection lost' }, '1006 connection lost'],
  left: [{ type: 'left', code: 1005 }, '1005 closed by client'],
  fault: [{ type: 'fault', code: 1007, reason: 'invalid UTF-8' }, '1007 invalid UTF-8'],
  session: [{ type: 'session', code: 1008, reason: 'owned elsewhere' }, '1008 owned elsewhere'],
  'authorize first': [{ type: 'authorize first' }, '1009 authorize first'],
  'authorize timeout': [{ type: 'authorize timeout' }, '1008 authorize timeout'],
  'too many failed authorisations': [
    { type: 'too many failed authorisations' },
    '1008 too many failed authorisations',
  ],
  revoked: [{ type: 'revoked' }, '1008 revoked'],
  expired: [{ type: 'expired' }, '1008 expired'],
  'topic lost': [{ type: 'topic lost' }, '1013 topic lost'],
  drained: [{ type: 'drained' }, '1001 going away'],
  operator: [{ type: 'operator', words: 'slow' }, '1001 slow'],
  crash: [{ type: 'crash', why: 'Error: x' }, '1011 crash'],
  killed: [{ type: 'killed' }, '1006 killed'],
};

for (const [type, [end, expected]] of Object.entries(ends))
  test(`a connection that ends by ${type} tells ${expected}`, (t) => {
    const { code, reason, level, dropped, event } = tellingOf(end, 'websocket');
    t.is(`${code} ${reason}`, expected);
    t.is(level, ['topic lost', 'crash', 'killed'].includes(type) ? 'warn' : 'info');
    t.is(dropped, type === 'slow' ? 'slow' : type === 'crash' || type === 'killed' ? 'crash' : 'closed');
    t.regex(event, /^\S.+\S$/);
  });

test('a stream has no close frame that its client could have sent', (t) => {
  t.is(tellingOf({ type: 'left', code: 1000 }, 'stream').event, 'the client ended its request');
  t.is(tellingOf({ type: 'left', code: 1000 }, 'websocket').event, 'the client sent a close frame');
});

test('the words for a slow client name the limit and what was reached', (t) => {
  t.is(
    tellingOf({ type: 'slow', limit: 'pending', reached: 7 }, 'websocket').event,
    '7 bytes waited for it (limits.pending)',
  );
  t.is(
    tellingOf({ type: 'slow', limit: 'write_stall', reached: 7 }, 'stream').event,
    'it read nothing for 7 ms (limits.write_stall)',
  );
});
