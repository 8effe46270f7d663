import test from 'ava';
import { headText } from '../../../src/command/top/source.ts';

test('of the first line whole numbers are left out where there is no room, never how many there are', (t) => {
  const head = { node: 'relay-1', busy: 0.12, messages: 1234, deliveries: 123_456, dropped: 0, memory: 1e9 };
  t.is(
    headText(head, 'connections', 160),
    'relay-1  12% busy  1 234 msg/s  123 456 deliv/s  0 dropped/s  954 MiB  160 connections',
  );
  t.is(
    headText(head, 'connections', 160, 80),
    'relay-1  12% busy  1 234 msg/s  123 456 deliv/s  0 dropped/s  160 connections',
  );
  t.is(
    headText({ ...head, node: 'r'.repeat(40) }, 'connections', 160, 60),
    `${'r'.repeat(40)}  160 connections`,
  );
});
