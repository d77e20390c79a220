// unpack: four consecutive elements from memory (Stored) in the type of arithmetic (Value).

//# float32
alias Stored = vec4f;
alias Value = f32;
fn unpack(x: Stored) -> vec4f { return x; }

//# float16
enable f16;
alias Stored = vec4h;
alias Value = f32;
fn unpack(x: Stored) -> vec4f { return vec4f(x); }

//# int32
alias Stored = vec4i;
alias Value = i32;
fn unpack(x: Stored) -> vec4i { return x; }

//# uint32
alias Stored = vec4u;
alias Value = u32;
fn unpack(x: Stored) -> vec4u { return x; }

//# int8
alias Stored = u32;
alias Value = i32;
fn unpack(x: Stored) -> vec4i { return vec4i(vec4u(x) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u); }

//# uint8
alias Stored = u32;
alias Value = u32;
fn unpack(x: Stored) -> vec4u { return (vec4u(x) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u); }
