// The types, and how many multiply-adds wait for none of the others: chains(x, m, rounds) does CHAINS * 4 of four lanes a round.

//# float32
alias Elem = f32;
alias Elem4 = vec4f;

//# float16
enable f16;
alias Elem = f16;
alias Elem4 = vec4h;

//# chains_2
fn chains(x: Elem4, m: Elem4, rounds: u32) -> Elem4 {
  var a = x;
  var b = x + m;
  for (var i = 0u; i < rounds; i++) {
    a = fma(a, m, x); b = fma(b, m, x);
    a = fma(a, m, x); b = fma(b, m, x);
    a = fma(a, m, x); b = fma(b, m, x);
    a = fma(a, m, x); b = fma(b, m, x);
  }
  return a + b;
}

//# chains_4
fn chains(x: Elem4, m: Elem4, rounds: u32) -> Elem4 {
  var a = x;
  var b = x + m;
  var c = b + m;
  var d = c + m;
  for (var i = 0u; i < rounds; i++) {
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
  }
  return a + b + c + d;
}

//# chains_8
fn chains(x: Elem4, m: Elem4, rounds: u32) -> Elem4 {
  var a = x;
  var b = x + m;
  var c = b + m;
  var d = c + m;
  var e = d + m;
  var f = e + m;
  var g = f + m;
  var h = g + m;
  for (var i = 0u; i < rounds; i++) {
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    e = fma(e, m, x); f = fma(f, m, x); g = fma(g, m, x); h = fma(h, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    e = fma(e, m, x); f = fma(f, m, x); g = fma(g, m, x); h = fma(h, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    e = fma(e, m, x); f = fma(f, m, x); g = fma(g, m, x); h = fma(h, m, x);
    a = fma(a, m, x); b = fma(b, m, x); c = fma(c, m, x); d = fma(d, m, x);
    e = fma(e, m, x); f = fma(f, m, x); g = fma(g, m, x); h = fma(h, m, x);
  }
  return a + b + c + d + e + f + g + h;
}
