// bounded: the argument of a gate's activation within ±CLIP; 0: without bounds. activate: activation `which`, in the
// order of src/ops/recurrence.ts.
// tanh is made of exp: drivers approximate theirs to 1/1024, and a state goes through it at every step.
// ports   keep_nan, rectified (functions)
// consts  CLIP

fn bounded(x: vec4f) -> vec4f {
  if CLIP == 0.0 { return x; }
  return keep_nan(clamp(x, vec4f(-CLIP), vec4f(CLIP)), x);
}

fn hyperbolic(x: vec4f) -> vec4f {
  return keep_nan(1.0 - 2.0 / (1.0 + exp(2.0 * clamp(x, vec4f(-10.0), vec4f(10.0)))), x);
}

fn activate(which: u32, alpha: f32, beta: f32, x: vec4f) -> vec4f {
  switch which {
    case 0u: { return keep_nan(1.0 / (1.0 + exp(-x)), x); } // sigmoid
    case 1u: { return hyperbolic(x); } // tanh
    case 2u: { return rectified(x); } // relu
    case 3u: { return alpha * x + beta; } // linear
    case 4u: { return select(alpha * x, x, x >= vec4f()); } // leakyRelu
    case 5u: { return keep_nan(select(vec4f(), x, x > vec4f(alpha)), x); } // thresholdedRelu
    case 6u: { return alpha * hyperbolic(beta * x); } // scaledTanh
    case 7u: { return keep_nan(clamp(alpha * x + beta, vec4f(), vec4f(1.0)), x); } // hardSigmoid
    case 8u: { return select(x, alpha * (exp(x) - 1.0), x < vec4f()); } // elu
    case 9u: { return x / (1.0 + abs(x)); } // softsign
    default: { return keep_nan(max(x, vec4f()) + log(1.0 + exp(-abs(x))), x); } // softplus
  }
}
