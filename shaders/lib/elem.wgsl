// The type of numbers in memory, and of their sums: those of float16 are float32.

//# f32
alias Elem = f32;
alias Elem4 = vec4f;
alias Total = f32;

//# f16
enable f16;
alias Elem = f16;
alias Elem4 = vec4h;
alias Total = f32;

//# i32
alias Elem = i32;
alias Total = i32;

//# u32
alias Elem = u32;
alias Total = u32;
