#!/usr/bin/env node
import '../disk.ts';
import { cli } from './program.ts';

// Who reads us may have read enough: `| head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const status = await cli(process.argv.slice(2));
// Pipes of Windows take their time. Then the process ends here: Dawn's threads would keep it.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit(status);
