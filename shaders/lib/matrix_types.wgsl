// Subgroup matrices of a product. Left: MATRIX_M × MATRIX_K elements of A. Right: MATRIX_K × MATRIX_N of B. Sum: MATRIX_M × MATRIX_N
// of C. The language extension is Chrome's, and experimental.

//# f16
enable f16;
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;
const ZERO = 0f;

//# i8
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<i8, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<i8, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<i32, MATRIX_N, MATRIX_M>;
const ZERO = 0i;
