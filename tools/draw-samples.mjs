/**
 * Renders the sample pictures: every SVG of `weights/samples` to a 256x256 PNG beside it, those of `weights/samples/text`
 * at their own size. Texts take the fonts of the machine: DejaVu.
 *
 *     node tools/draw-samples.mjs
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

/** @type {[folder: URL, size: number | undefined][]} */
const FOLDERS = [
  [new URL('../weights/samples/', import.meta.url), 256],
  [new URL('../weights/samples/text/', import.meta.url), undefined],
];

for (const [folder, size] of FOLDERS) {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.svg')).sort()) {
    const svg = fileURLToPath(new URL(name, folder));
    const png = svg.replace(/\.svg$/, '.png');
    const drawn = await sharp(svg).resize(size, size).removeAlpha().png({ compressionLevel: 9 }).toFile(png);
    console.log(`${name}: ${drawn.width}x${drawn.height}, ${drawn.size} bytes`);
  }
}
