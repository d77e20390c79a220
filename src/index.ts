/** The public API of Tilewright. */

export type { BuildOptions, MemoryOptions } from './build/build.ts';
export { type Availability, Engine, type EngineOptions, type Model } from './engine.ts';
export { ERROR_CODES, type ErrorCode, TilewrightError } from './errors.ts';
export type { Checkpoint } from './formats/safetensors.ts';
export { openSafetensors } from './formats/safetensors.ts';
export { type AdapterCard, adapterName } from './gpu/adapter.ts';
export type { Counters } from './gpu/counters.ts';
export { countersSince } from './gpu/counters.ts';
export { GraphBuilder } from './graph/builder.ts';
export type { Graph, Operand } from './graph/ir.ts';
export type { Calibration } from './graph/passes/activations.ts';
export { formatPlan, type Plan } from './graph/plan.ts';
export type { ModelSource } from './hub/folder.ts';
export type { NetworkOptions } from './hub/policy.ts';
export type { LoadOptions, ModelDataType, ModelInfo } from './models/model.ts';
export type { LayerReport, ModelReport, ReportOptions, Sample } from './models/report.ts';
export type { ImageClassifier, Prediction } from './models/resnet.ts';
export type { GeneratedToken, GenerateOptions, TextGenerator } from './models/text-generator.ts';
export type { GraphModel, GraphRunOptions } from './onnx/graph-model.ts';
export type { GraphNode, GraphValue } from './onnx/nodes.ts';
export type { GraphBuffer, GraphInput, GraphNumbers, GraphOutput, GraphTensor } from './onnx/run-tensors.ts';
export type { Profile, ProfileRow } from './profile/profile.ts';
export type { RunOptions, Session } from './runtime/session.ts';
export type { OnProgress, Progress } from './tensor/progress.ts';
export type { DataType, HostData, TensorData, TensorDescriptor } from './tensor/types.ts';
export type { VerifyOptions, VerifyReport, VerifyRow } from './verify/verify.ts';
export type { Picture } from './vision/preprocess.ts';
