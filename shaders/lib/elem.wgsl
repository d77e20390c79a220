// The type of floats in memory. Sums are float32.

//# f32
alias Elem = f32;
alias Elem4 = vec4f;

//# f16
enable f16;
alias Elem = f16;
alias Elem4 = vec4h;
