// Ends what imports it first, with a sentence in place of a stack trace, on a Node that is too old for this package.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = engines.node.replace('>=', '');
const [major, minor] = needed.split('.').map(Number);
const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);

if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  process.stderr.write(`fanfare needs Node.js ${needed} or newer, and this is ${process.versions.node}\n`);
  process.exit(1);
}
