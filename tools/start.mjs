import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ready } from './ready.mjs';
import { serveFolder } from './serve.mjs';

// `npm start`: the main job headless, then the pages. With --once, or without a terminal, only the job.
const PORT = 4173;
const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const env = { ...process.env, CHROME_PATH: await ready() };
const job = spawn(process.execPath, [root('cli/dist/command/main.js'), 'demo'], { stdio: 'inherit', env });
process.on('SIGINT', () => {}); // the job is told too, and ends first
const [status] = await once(job, 'exit');
if (status !== 0 || process.argv.includes('--once') || !process.stdout.isTTY) process.exit(status ?? 1);

const { url, close } = await serveFolder(root('dist/pages'), { port: PORT }).catch(() =>
  serveFolder(root('dist/pages')),
);
console.log(`The pages are at ${url} (Ctrl-C ends)`);
openInBrowser(url);
process.on('SIGINT', () => close().then(() => process.exit(0)));

/** Where there is a display. A browser that cannot be started is no failure. @param {string} address */
function openInBrowser(address) {
  const { platform } = process;
  if (platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  const [command, ...args] =
    platform === 'win32'
      ? ['cmd', '/c', 'start', '""', address]
      : [platform === 'darwin' ? 'open' : 'xdg-open', address];
  spawn(/** @type {string} */ (command), args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
