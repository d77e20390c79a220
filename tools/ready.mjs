import { build } from './build.mjs';
import { setup } from './setup.mjs';

/**
 * Makes the command of a clone ready: packages, Chrome where it is wanted, and a build where that is due. What cannot
 * be done ends the process with one sentence instead of a stack.
 * @param {{ chrome?: boolean }} [options]
 * @returns {Promise<string | undefined>} the browser's path, where one is wanted
 */
export async function ready({ chrome = true } = {}) {
  try {
    const found = await setup({ chrome });
    await build({ only: ['cli', 'host', 'pages'] });
    return found.chrome;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
