// The package types only its "main"; the file that is an ES module has the same exports.
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
