// colour_at: a pixel of a picture as the host has it: red, green and blue of 0 to 1 as they are encoded, over white.
//
// The pixels of an external texture are multiplied by alpha, those of the others are not.
// ports   Params (picture_columns)

//# texture_2d
@group(0) @binding(1) var picture: texture_2d<f32>;
fn colour_at(x: u32, y: u32) -> vec3f {
  let pixel = textureLoad(picture, vec2u(x, y), 0);
  return pixel.rgb * pixel.a + (1.0 - pixel.a);
}

//# srgb
// A texture whose format ends in -srgb is read as light: IEC 61966-2-1 encodes it again, to the byte that it was.
@group(0) @binding(1) var picture: texture_2d<f32>;
fn colour_at(x: u32, y: u32) -> vec3f {
  let pixel = textureLoad(picture, vec2u(x, y), 0);
  let encoded = select(1.055 * pow(pixel.rgb, vec3f(1.0 / 2.4)) - 0.055, 12.92 * pixel.rgb, pixel.rgb <= vec3f(0.0031308));
  return round(255.0 * encoded) / 255.0 * pixel.a + (1.0 - pixel.a);
}

//# external
@group(0) @binding(1) var picture: texture_external;
fn colour_at(x: u32, y: u32) -> vec3f {
  let pixel = textureLoad(picture, vec2u(x, y));
  return pixel.rgb + (1.0 - pixel.a);
}

//# bytes
@group(0) @binding(1) var<storage, read> picture: array<u32>;
fn colour_at(x: u32, y: u32) -> vec3f {
  let pixel = unpack4x8unorm(picture[y * params.stride + x]);
  return pixel.rgb * pixel.a + (1.0 - pixel.a);
}
