import test from 'ava';
import fc from 'fast-check';
import { addRestart, DEFAULT_INTENSITY } from '../../src/otp/child-spec.ts';

/** The crash, counted from 1, at which it is too much; `every` is the time between two. */
function givesUpAt(intensity: number, period: number, every: number, most = 50): number | undefined {
  let restarts: readonly number[] = [];
  for (let crash = 1; crash <= most; crash++) {
    const added = addRestart(restarts, crash * every, { intensity, period });
    if (added.exceeded) return crash;
    restarts = added.restarts;
  }
  return undefined;
}

test('intensities 0, 1, 3 and 10 are exceeded by crash 1, 2, 4 and 11', (t) => {
  for (const [intensity, crash] of [
    [0, 1],
    [1, 2],
    [3, 4],
    [10, 11],
  ] as const) {
    t.is(givesUpAt(intensity, 5000, 0), crash);
    t.is(givesUpAt(intensity, 5000, 1), crash);
  }
});

test('a restart exactly a period ago counts, one a millisecond earlier does not', (t) => {
  t.is(givesUpAt(1, 5000, 5000), 2);
  t.is(givesUpAt(1, 5000, 5001), undefined);
  t.is(givesUpAt(3, 6000, 2000), 4);
  t.is(givesUpAt(3, 6000, 2001), undefined);
});

test('the default is one restart in five seconds', (t) => {
  t.deepEqual(DEFAULT_INTENSITY, { intensity: 1, period: 5000 });
});

test('no more times are kept than the intensity allows', (t) => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(100), fc.array(fc.nat(50)), (intensity, period, steps) => {
      let restarts: readonly number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step;
        const added = addRestart(restarts, now, { intensity, period });
        if (added.exceeded) return added.restarts.length === intensity + 1;
        restarts = added.restarts;
        if (restarts.length > intensity || restarts.some((time) => now - time > period)) return false;
      }
      return true;
    }),
  );
  t.pass();
});
