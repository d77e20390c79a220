// pack: four consecutive elements in memory. Value is the type of arithmetic (stored.wgsl).

//# float32
alias Result = vec4f;
fn pack(x: vec4<Value>) -> Result { return vec4f(x); }

//# float16
enable f16;
alias Result = vec4h;
fn pack(x: vec4<Value>) -> Result { return vec4h(x); }

//# int32
alias Result = vec4i;
fn pack(x: vec4<Value>) -> Result { return vec4i(x); }

//# uint32
alias Result = vec4u;
fn pack(x: vec4<Value>) -> Result { return vec4u(x); }

//# int8
alias Result = u32;
fn pack(x: vec4<Value>) -> Result {
  let byte = vec4u(vec4i(x)) & vec4u(255u);
  return byte.x | (byte.y << 8u) | (byte.z << 16u) | (byte.w << 24u);
}

//# uint8
alias Result = u32;
fn pack(x: vec4<Value>) -> Result {
  let byte = vec4u(vec4i(x)) & vec4u(255u);
  return byte.x | (byte.y << 8u) | (byte.z << 16u) | (byte.w << 24u);
}
