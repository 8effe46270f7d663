import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readSent, sentOf } from '../../src/connection/tcp-table.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

/** A line as the kernel writes it. */
function line({
  state = '01',
  timer = '01',
  resent = 0,
  probes = 0,
  inode = 7,
  address = '0100007F',
}): string {
  const times = resent.toString(16).toUpperCase().padStart(8, '0');
  const start = ` 12: ${address}:1F91 ${address}:C3A2 ${state} 00000005:00000000 ${timer}:000000E4 ${times}`;
  return `${start}  1000        ${probes} ${inode} 2 00000000d3c2b1a0 20 4 30 10 -1`.padEnd(149);
}

test('a socket is silent that has sent the same twice and got no acknowledgement, or probed a closed window twice', (t) => {
  for (const [what, given, silent] of [
    ['nothing under way', line({ timer: '00' }), false],
    ['under way', line({ resent: 0 }), false],
    ['sent again once', line({ resent: 1 }), false],
    ['sent again twice', line({ resent: 2 }), true],
    ['sent again often', line({ resent: 15 }), true],
    ['one probe', line({ timer: '04', probes: 1 }), false],
    ['two probes', line({ timer: '04', probes: 2 }), true],
    ['probes of keep-alive', line({ timer: '02', probes: 5 }), false],
    ['half closed by the client', line({ state: '08', resent: 2 }), true],
    ['closing', line({ state: '04', resent: 9 }), undefined],
    ['IPv6', line({ address: '0000000000000000FFFF00000100007F', resent: 2 }), true],
    ['another one', line({ inode: 8, resent: 9 }), undefined],
    ['the head', HEAD, undefined],
  ] as const)
    t.is(sentOf(`${given}\n`, new Set([7])).get(7)?.silent, silent, what);
});

test('tables longer than one read are read whole, line by line', async (t) => {
  const folder = temporaryFolder(t);
  const tables = ['tcp', 'tcp6'].map((name, at) => {
    const lines = Array.from({ length: 3000 }, (_, index) =>
      line({ inode: at * 10_000 + index, resent: index % 1000 === 0 ? 3 : 0 }),
    );
    writeFileSync(join(folder, name), `${[HEAD, ...lines].join('\n')}\n`);
    return join(folder, name);
  });
  const wanted = new Set([0, 1, 2999, 11_000, 20_000]);
  const sent = (silent: boolean) => ({ silent, unacknowledged: 5 });
  t.deepEqual(
    [...(await readSent(wanted, tables))],
    [
      [0, sent(true)],
      [1, sent(false)],
      [2999, sent(false)],
      [11_000, sent(true)],
    ],
  );
  await t.throwsAsync(readSent(wanted, [join(folder, 'none')]), { code: 'ENOENT' });
});
