import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { AddressList, countedAs, plainAddress } from '../../src/acceptor/addresses.ts';
import { AdmissionControl, type AdmissionLimits } from '../../src/acceptor/admission.ts';

const none = { connections: 0, connectionsPerAddress: 0, connectionRatePerAddress: 0 };

type Limits = Partial<AdmissionLimits> & { readonly exempt?: readonly string[] };

const admission = ({ exempt = [], ...limits }: Limits) =>
  new AdmissionControl({ ...none, ...limits }, new AddressList(exempt));

const configure = (control: AdmissionControl, { exempt = [], ...limits }: Limits) =>
  control.configure({ ...none, ...limits }, new AddressList(exempt));

/** How many of `count` connections from one address are admitted. */
function admitted(control: AdmissionControl, address: string, count: number, now = 0): number {
  let total = 0;
  for (let i = 0; i < count; i++) if (control.enter(address, now) === 'admitted') total++;
  return total;
}

test('without limits everybody is admitted, and no address is remembered', (t) => {
  const control = admission({});
  t.is(admitted(control, '10.0.0.1', 5000), 5000);
  t.is(control.open, 5000);
  t.is(control.addresses, 0);
});

test('all together: the limit and not one more, until one leaves', (t) => {
  const control = admission({ connections: 3 });
  t.is(admitted(control, '10.0.0.1', 2), 2);
  t.is(control.enter('10.0.0.2', 0), 'admitted');
  t.is(control.enter('10.0.0.3', 0), 'full');
  control.leave('10.0.0.1', 0);
  t.is(control.open, 2);
  t.is(control.enter('10.0.0.3', 0), 'admitted');
  t.is(control.enter('10.0.0.3', 0), 'full');
});

test('per address: the limit and not one more, whatever others have', (t) => {
  const control = admission({ connectionsPerAddress: 2 });
  t.is(admitted(control, '10.0.0.1', 2), 2);
  t.is(control.enter('10.0.0.1', 0), 'address-full');
  t.is(control.enter('10.0.0.2', 0), 'admitted');
  control.leave('10.0.0.1', 0);
  t.is(control.enter('10.0.0.1', 0), 'admitted');
});

test('rate: one second’s worth at once, and then as time passes', (t) => {
  const control = admission({ connectionRatePerAddress: 20 });
  t.is(admitted(control, '10.0.0.1', 30, 1000), 20);
  t.is(control.enter('10.0.0.1', 1049), 'address-rate');
  t.is(control.enter('10.0.0.1', 1050), 'admitted');
  t.is(control.enter('10.0.0.1', 1050), 'address-rate');
  t.is(admitted(control, '10.0.0.1', 30, 1550), 10);
  t.is(admitted(control, '10.0.0.1', 30, 100_000), 20);
});

test('who is refused for what it has open uses up nothing of its rate', (t) => {
  const control = admission({ connectionsPerAddress: 1, connectionRatePerAddress: 2 });
  t.is(control.enter('10.0.0.1', 0), 'admitted');
  t.is(control.enter('10.0.0.1', 0), 'address-full');
  control.leave('10.0.0.1', 0);
  t.is(control.enter('10.0.0.1', 0), 'admitted');
});

test('exempt addresses and blocks have the total limit alone', (t) => {
  const exempt = ['127.0.0.0/8', '::1', '10.1.2.3', '2001:db8::/32'];
  const control = admission({
    connections: 50,
    connectionsPerAddress: 1,
    connectionRatePerAddress: 1,
    exempt,
  });
  for (const address of ['127.0.0.1', '127.255.255.255', '::1', '10.1.2.3', '2001:db8::7', 'local'])
    t.is(admitted(control, address, 5), 5, address);
  for (const address of ['128.0.0.1', '10.1.2.4', '::2', '2001:db9::7'])
    t.is(admitted(control, address, 5), 1, address);
  t.is(admitted(control, '127.0.0.1', 50), 16);
});

test('an address is forgotten when nothing is open and its rate has recovered', (t) => {
  const control = admission({ connectionsPerAddress: 5, connectionRatePerAddress: 2 });
  t.is(admitted(control, '10.0.0.1', 2), 2);
  t.is(admitted(control, '10.0.0.2', 1), 1);
  control.leave('10.0.0.1', 5000);
  t.is(control.addresses, 2, 'one is still open');
  control.leave('10.0.0.1', 5000);
  t.is(control.addresses, 1);
  control.leave('10.0.0.2', 100);
  t.is(control.addresses, 1, 'its rate has not recovered');
});

test('a flood of addresses is forgotten, though none had its rate back when it left', (t) => {
  const control = admission({ connectionRatePerAddress: 1 });
  const flood = (block: number, at: number) => {
    for (let i = 0; i < 1000; i++) {
      const address = `10.${block}.${i >> 8}.${i & 255}`;
      control.enter(address, at);
      control.leave(address, at);
    }
  };
  flood(0, 20_000);
  t.is(control.addresses, 1000);
  flood(1, 29_999);
  t.is(control.addresses, 2000, 'looked for now and then, not for every connection');
  control.enter('10.9.9.9', 31_000);
  t.is(control.addresses, 1);
  t.is(control.open, 1);
});

test('who has something open is not forgotten', (t) => {
  const control = admission({ connectionsPerAddress: 1, connectionRatePerAddress: 1 });
  control.enter('10.0.0.1', 0);
  control.enter('10.0.0.2', 1_000_000);
  t.is(control.enter('10.0.0.1', 1_000_000), 'address-full');
});

test('an IPv4 address that came over IPv6 is itself; none is local', (t) => {
  t.is(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
  t.is(plainAddress('10.0.0.1'), '10.0.0.1');
  t.is(plainAddress('::ffff:0:1'), '::ffff:0:1');
  t.is(plainAddress('2001:db8::1'), '2001:db8::1');
  t.is(plainAddress(undefined), 'local');
});

test('a proxy takes a place and is nobody, its clients take none and are themselves', (t) => {
  const control = admission({ connections: 2, connectionsPerAddress: 1 });
  t.is(control.enterProxy(), 'admitted');
  t.is(control.enterProxy(), 'admitted');
  t.is(control.enterProxy(), 'full');
  t.is(control.open, 2);
  t.is(control.enterClient('a', 0), 'admitted');
  t.is(control.enterClient('a', 0), 'address-full');
  t.is(control.enterClient('b', 0), 'admitted');
  t.is(control.open, 2);
  control.leaveClient('a', 0);
  t.is(control.enterClient('a', 0), 'admitted');
  control.leaveProxy();
  t.is(control.enter('c', 0), 'admitted');
  t.is(control.enter('c', 0), 'full');
});

test('the addresses of one /64 have the limits of one, and its neighbours their own', (t) => {
  const control = admission({ connectionsPerAddress: 2, connectionRatePerAddress: 3 });
  const [first, last] = ['2001:db8:0:1::', '2001:db8::1:ffff:ffff:ffff:ffff'];
  t.is(control.enter(first, 0), 'admitted');
  t.is(control.enter(last, 0), 'admitted');
  t.is(control.enter('2001:db8:0:1::5', 0), 'address-full');
  for (const neighbour of ['2001:db8::ffff:ffff:ffff:ffff', '2001:db8:0:2::'])
    t.is(control.enter(neighbour, 0), 'admitted', neighbour);
  control.leave(first, 0);
  t.is(control.enter(last, 0), 'admitted');
  control.leave(last, 0);
  t.is(control.enter(first, 0), 'address-rate');
  t.is(control.addresses, 3);
});

test('an IPv4 address that came over IPv6 shares no /64 with another', (t) => {
  const control = admission({ connectionsPerAddress: 1 });
  for (const address of ['::ffff:10.0.0.1', '::ffff:10.0.0.2'])
    t.is(control.enter(plainAddress(address), 0), 'admitted', address);
  t.is(control.enter('10.0.0.1', 0), 'address-full');
});

test('an exempt address takes nothing from the count of its network when it leaves', (t) => {
  const control = admission({ connectionsPerAddress: 1, exempt: ['2001:db8::1'] });
  t.is(control.enter('2001:db8::2', 0), 'admitted');
  t.is(admitted(control, '2001:db8::1', 5), 5);
  control.leave('2001:db8::1', 0);
  t.is(control.enter('2001:db8::3', 0), 'address-full');
});

test('who is made exempt while it is connected is not counted for ever', (t) => {
  const control = admission({ connectionsPerAddress: 1 });
  t.is(control.enter('10.0.0.1', 0), 'admitted');
  configure(control, { connectionsPerAddress: 1, exempt: ['10.0.0.1'] });
  control.leave('10.0.0.1', 0);
  t.is(control.addresses, 0);
  configure(control, { connectionsPerAddress: 1 });
  t.is(control.enter('10.0.0.1', 0), 'admitted');
});

test('who is connected while there is no limit for an address counts when there is one', (t) => {
  const control = admission({});
  for (let n = 0; n < 3; n++) t.is(control.enter('a', 0), 'admitted');
  configure(control, { connectionsPerAddress: 3 });
  t.is(control.enter('a', 0), 'address-full');
  control.leave('a', 0);
  t.is(control.enter('a', 0), 'admitted');
  t.is(control.enter('b', 0), 'admitted');
});

test('who is connected counts on through other exempt addresses', (t) => {
  const control = admission({ connectionsPerAddress: 2, exempt: ['10.0.0.1'] });
  for (let n = 0; n < 3; n++) t.is(control.enter('10.0.0.1', 0), 'admitted');
  for (let n = 0; n < 2; n++) t.is(control.enter('10.0.0.2', 0), 'admitted');
  configure(control, { connectionsPerAddress: 2, exempt: ['10.0.0.9'] });
  t.is(control.enter('10.0.0.1', 0), 'address-full');
  t.is(control.enter('10.0.0.2', 0), 'address-full');
  for (let n = 0; n < 2; n++) control.leave('10.0.0.1', 0);
  t.is(control.enter('10.0.0.1', 0), 'admitted');
  t.is(control.enter('10.0.0.1', 0), 'address-full');
});

test('a rate that is raised lets in so much more at once, and a lowered one no more than a second’s worth', (t) => {
  const control = admission({ connectionRatePerAddress: 2 });
  for (let n = 0; n < 2; n++) t.is(control.enter('a', 0), 'admitted');
  configure(control, { connectionRatePerAddress: 5 });
  for (let n = 0; n < 3; n++) t.is(control.enter('a', 0), 'admitted');
  t.is(control.enter('a', 0), 'address-rate');
  configure(control, { connectionRatePerAddress: 1 });
  t.is(control.enter('a', 60_000), 'admitted');
  t.is(control.enter('a', 60_000), 'address-rate');
});

test('a rate that comes where there was none lets in a second’s worth of those who are known', (t) => {
  const control = admission({ connectionsPerAddress: 9 });
  t.is(control.enter('a', 0), 'admitted');
  configure(control, { connectionsPerAddress: 9, connectionRatePerAddress: 2 });
  for (let n = 0; n < 2; n++) t.is(control.enter('a', 0), 'admitted');
  t.is(control.enter('a', 0), 'address-rate');
});

const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2', 'local');

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constantFrom('enter' as const, 'leave' as const), address }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('configure' as const),
        connections: fc.integer({ min: 0, max: 6 }),
        connectionsPerAddress: fc.integer({ min: 0, max: 3 }),
        exempt: fc.subarray(['10.0.0.1', '2001:db8::1']),
      }),
    },
  ),
  { maxLength: 60 },
);

test('whatever comes, goes and is configured, exactly those are let in for whom there is room', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const control = admission({});
      let limits: { connections: number; connectionsPerAddress: number; exempt: readonly string[] } = {
        ...none,
        exempt: [],
      };
      const inside: string[] = [];
      const isExempt = (one: string) => one === 'local' || limits.exempt.includes(one);
      for (const step of all) {
        if (step.type === 'configure') {
          limits = step;
          configure(control, { ...limits });
          continue;
        }
        const { type, address: one } = step;
        const at = inside.indexOf(one);
        if (type === 'enter') {
          const { connections, connectionsPerAddress: most } = limits;
          const kin = inside.filter((other) => !isExempt(other) && countedAs(other) === countedAs(one));
          const isFull = connections > 0 && inside.length >= connections;
          const isAddressFull = most > 0 && !isExempt(one) && kin.length >= most;
          const expected = isFull ? 'full' : isAddressFull ? 'address-full' : 'admitted';
          assert.equal(control.enter(one, 0), expected);
          if (expected === 'admitted') inside.push(one);
        } else if (at !== -1) {
          inside.splice(at, 1);
          control.leave(one, 0);
        }
        assert.equal(control.open, inside.length);
      }
      for (const one of inside) control.leave(one, 0);
      assert.equal(control.open, 0);
      assert.equal(control.addresses, 0, 'all are forgotten');
    }),
    { numRuns: 500 },
  );
  t.pass();
});
