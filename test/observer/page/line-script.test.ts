import { runInNewContext } from 'node:vm';
import test from 'ava';
import { lineScript } from '../../../src/observer/page/line-script.ts';

interface Point {
  readonly at: number;
  readonly x: number;
  readonly value: number;
}

interface Lines {
  scaleOf(
    values: readonly number[],
    least?: number,
    most?: number,
  ): { top: number; peak: number; cut: boolean };
  pathOf(points: readonly Point[], top: number): string;
  areaOf(points: readonly Point[], top: number): string;
  marksOf(points: readonly Point[], top: number): string;
}

const lines = runInNewContext(`${lineScript}; ({ scaleOf, pathOf, areaOf, marksOf })`) as Lines;
/** The values of an object of another realm. */
const scaleOf: Lines['scaleOf'] = (...args) => ({ ...lines.scaleOf(...args) });

/** One point a second, a pixel apart. */
function everySecond(values: readonly number[]): Point[] {
  return values.map((value, index) => ({ at: index * 1000, x: index, value }));
}

test('one outlier does not flatten a chart: it is cut, and marked where it stands', (t) => {
  const values = [...Array.from({ length: 60 }, (_, index) => 90 + (index % 11)), 10_000];
  const { top, peak, cut } = scaleOf(values);
  t.is(top, 150);
  t.is(peak, 10_000);
  t.true(cut);
  t.is(lines.marksOf(everySecond(values), top), 'M60.0 0v5');
  t.false(lines.pathOf(everySecond(values), top).includes('-'), 'the line stays within the chart');
});

test('a chart without outliers shows all of them, and so does one of few samples or of nothing but a burst', (t) => {
  const steady = Array.from({ length: 60 }, (_, index) => 100 + index * 3);
  t.deepEqual(scaleOf(steady), { top: 277 * 1.08, peak: 277, cut: false });
  t.false(scaleOf([1, 1, 1, 1000]).cut);
  const burst = [...Array.from({ length: 99 }, () => 0), 50];
  t.deepEqual(scaleOf(burst), { top: 54, peak: 50, cut: false });
});

test('a chart of nothing has a top, and so has one with a least or a fixed one', (t) => {
  t.is(scaleOf([]).top, 1);
  t.is(scaleOf([0, 0]).top, 1);
  t.is(scaleOf([1, 2], 10).top, 10);
  t.deepEqual(scaleOf([1, 2], undefined, 100), { top: 100, peak: 2, cut: false });
});

test('a line ends where nothing was measured for a while, and a sample alone is a dot', (t) => {
  const point = (second: number) => ({ at: second * 1000, x: second, value: 0 });
  const points = [0, 1, 6, 20, 40, 41].map(point);
  t.is(lines.pathOf(points, 1), 'M0.0 63.0h0L1.0 63.0L6.0 63.0M20.0 63.0h0M40.0 63.0h0L41.0 63.0');
  t.is(lines.areaOf(points, 1).split('Z').length, 4);
  t.is(lines.areaOf([], 1), '');
});
