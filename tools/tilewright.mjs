import { ready } from './ready.mjs';

// `npm run tilewright -- ...`: the command from a clone, set up and built first where that is due.
const args = process.argv.slice(2);
const withoutChrome =
  args.length === 0 ||
  ['inspect', 'summary', 'help', '--help', '-h', '--version', '-V', 'dawn', '--runtime=dawn'].some((word) =>
    args.includes(word),
  );
const chrome = await ready({ chrome: !withoutChrome });
if (chrome) process.env.CHROME_PATH = chrome;
// By its address, such that what is built is not checked as a source.
await import(new URL('../cli/dist/command/main.js', import.meta.url).href);
