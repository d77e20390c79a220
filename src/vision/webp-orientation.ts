/** Turns the pixels of a WebP as its EXIF says: Chrome does so for JPEG, PNG and AVIF only. */
export async function upright(file: Blob, picture: ImageData): Promise<ImageData> {
  const orientation = orientationOf(new DataView(await file.arrayBuffer()));
  return orientation === 1 ? picture : turned(picture, orientation);
}

/** The orientation of a WebP, 1 to 8; 1 where it says none, or none that can be read. */
function orientationOf(webp: DataView): number {
  const named = (at: number, name: string): boolean =>
    [...name].every((c, i) => webp.getUint8(at + i) === c.charCodeAt(0));
  try {
    let at = 12;
    while (!named(at, 'EXIF')) at += 8 + webp.getUint32(at + 4, true) + (webp.getUint32(at + 4, true) & 1);
    at += named(at + 8, 'Exif') ? 14 : 8; // some writers leave the head of JPEG's segment before it
    const little = named(at, 'II');
    const list = at + webp.getUint32(at + 4, little);
    for (let i = 0; i < webp.getUint16(list, little); i++) {
      const entry = list + 2 + 12 * i;
      if (webp.getUint16(entry, little) !== 0x0112) continue;
      const said = webp.getUint16(entry + 8, little);
      return said >= 1 && said <= 8 ? said : 1;
    }
  } catch {
    // It ends before it says so.
  }
  return 1;
}

/** Orientations from 5 on swap rows and columns; the others, and what is left of those, mirror one or both. */
function turned({ width, height, data }: ImageData, orientation: number): ImageData {
  const swaps = orientation > 4;
  const [wide, tall] = swaps ? [height, width] : [width, height];
  const flipsX = [2, 3, 7, 8].includes(orientation);
  const flipsY = [3, 4, 6, 7].includes(orientation);
  const out = new ImageData(wide, tall);
  const [from, to] = [new Uint32Array(data.buffer), new Uint32Array(out.data.buffer)];
  for (let y = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++) {
      const [u, v] = swaps ? [y, x] : [x, y];
      to[y * wide + x] = from[(flipsY ? height - 1 - v : v) * width + (flipsX ? width - 1 - u : u)]!;
    }
  }
  return out;
}
