// pixel_of: [image, row, column] of the first pixel of a tile of 2×2 pixels of the output.
fn pixel_of(tile: u32, height: u32, width: u32) -> vec3u {
  let tiles_w = (width + 1u) / 2u;
  let tiles_h = (height + 1u) / 2u;
  let line = tile / tiles_w;
  let image = line / tiles_h;
  return vec3u(image, 2u * (line - image * tiles_h), 2u * (tile - line * tiles_w));
}
