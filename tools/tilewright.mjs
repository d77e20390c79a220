import { build } from './build.mjs';
import { setup } from './setup.mjs';

// `npm run tilewright -- ...`: the command from a clone, set up and built first where that is due.
const args = process.argv.slice(2);
const withoutChrome =
  args.length === 0 ||
  ['inspect', 'help', '--help', '-h', '--version', '-V', 'dawn', '--runtime=dawn'].some((word) => args.includes(word));
const { chrome } = await setup({ chrome: !withoutChrome });
if (chrome) process.env.CHROME_PATH = chrome;
await build({ only: ['cli', 'pages'] });
await import('../dist/cli/main.js');
