/**
 * The public API with all its parts, where nothing can be loaded later: in service workers, hence in the background of extensions. The build
 * puts the parts here (tools/parts-plugin.ts).
 */
export * from './index.ts';
