import test from 'ava';
import fc from 'fast-check';
import { publishJson } from '../../src/door/json-frame.ts';

test('a publish frame is read back as it was meant', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (channel, content) => {
      const read: unknown = JSON.parse(publishJson(channel, content).toString());
      t.deepEqual(read, { type: 'publish', channel, content });
    }),
  );
});
