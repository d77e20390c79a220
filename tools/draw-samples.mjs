/**
 * Renders the sample pictures: every `weights/samples/*.svg` to a 256x256 PNG beside it.
 *
 *     node tools/draw-samples.mjs
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const SIZE = 256;
const folder = new URL('../weights/samples/', import.meta.url);

for (const name of (await readdir(folder)).filter((file) => file.endsWith('.svg')).sort()) {
  const svg = fileURLToPath(new URL(name, folder));
  const png = svg.replace(/\.svg$/, '.png');
  const { size } = await sharp(svg).resize(SIZE, SIZE).removeAlpha().png({ compressionLevel: 9 }).toFile(png);
  console.log(`${name}: ${SIZE}x${SIZE}, ${size} bytes`);
}
