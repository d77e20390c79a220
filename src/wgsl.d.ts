declare module '*.wgsl' {
  const file: import('./gpu/wgsl.ts').WgslFile;
  export default file;
}
