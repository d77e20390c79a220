// widen: the two 16-bit floats of a word as float32.

//# bfloat16
fn widen(x: u32) -> vec2f { return vec2f(bitcast<f32>(x << 16u), bitcast<f32>(x & 0xffff0000u)); }

//# float16
fn widen(x: u32) -> vec2f { return unpack2x16float(x); }
