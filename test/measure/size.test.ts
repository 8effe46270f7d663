import test from 'ava';
import { size } from '../../src/measure/size.ts';

test('sizes are short', (t) => {
  t.deepEqual([0, 1023, 1024, 1536, 104_857_600].map(size), ['0 B', '1023 B', '1 KiB', '1.5 KiB', '100 MiB']);
});
