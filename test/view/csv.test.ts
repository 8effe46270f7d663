import test from 'ava';
import { csvLine } from '../../src/view/csv.ts';

test('a line of CSV has its values apart by commas, and quotes around those that need them', (t) => {
  t.is(csvLine(['a', 1.5, true, null, undefined, '']), 'a,1.5,true,,,\r\n');
  t.is(csvLine(['a,b', 'say "a"', 'two\r\nlines']), '"a,b","say ""a""","two\r\nlines"\r\n');
  t.is(csvLine(['ü ', ' a']), 'ü , a\r\n');
});

test('no text is a formula to a spreadsheet, and a number stays one', (t) => {
  for (const first of ['=', '+', '-', '@'])
    t.is(csvLine([`${first}HYPERLINK()`]), `'${first}HYPERLINK()\r\n`);
  t.is(csvLine(['\t=1']), "'\t=1\r\n");
  t.is(csvLine(['\r=1']), '"\'\r=1"\r\n');
  t.is(csvLine(['=a,"b"']), '"\'=a,""b"""\r\n');
  t.is(csvLine([-3, 'a=b', 'a-b']), '-3,a=b,a-b\r\n');
});
