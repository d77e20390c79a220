// `npm run bench -- ...`: the bench page's measurements, headless.
process.argv.splice(2, 0, 'bench');
await import('./tilewright.mjs');
