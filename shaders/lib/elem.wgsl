// The type that floats are stored in. Sums are float32 whatever is stored.

//# f32
alias Elem = f32;
alias Elem4 = vec4f;

//# f16
enable f16;
alias Elem = f16;
alias Elem4 = vec4h;
