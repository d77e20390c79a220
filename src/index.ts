/**
 * Models and graphs on WebGPU: `Engine` makes all else.
 *
 * @module tilewright
 */

export type { Spectrogram } from './audio/mel.ts';
export type { BuildOptions, MemoryOptions } from './build/build.ts';
export { Engine, type EngineOptions, type Model } from './engine.ts';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, TilewrightError } from './errors.ts';
export type { Checkpoint, CheckpointTensor } from './formats/safetensors.ts';
export { openSafetensors } from './formats/safetensors.ts';
export { type AdapterCard, type Availability, adapterName, type DeviceOptions, type LimitName } from './gpu/adapter.ts';
export type { Counters } from './gpu/counters.ts';
export { countersSince } from './gpu/counters.ts';
export type { AskForDevice } from './gpu/recovery.ts';
export { GraphBuilder } from './graph/builder.ts';
export type { GroupName } from './graph/groups/index.ts';
export { type Graph, type Operand, topological } from './graph/ir.ts';
export type { Calibration } from './graph/passes/activations.ts';
export type { WeightType, WeightTypes } from './graph/passes/weight_types.ts';
export { formatPlan, type Plan, type Step } from './graph/plan.ts';
export type { Work } from './graph/work.ts';
export type { ModelSource } from './hub/folder.ts';
export type { NetworkOptions } from './hub/policy.ts';
export type { ByteSource, Kept } from './hub/source.ts';
export type { CalibrationOptions } from './models/calibration.ts';
export type { CatalogueModel } from './models/catalogue.ts';
export type { ClassificationBuffers } from './models/classification.ts';
export type { Answer, AnswerOptions, QuestionAnswerer } from './models/encoder/answerer.ts';
export type { Ranked, TextClassifier, TextClassifyOptions } from './models/encoder/classifier.ts';
export type { Embedder, Embeddings, EmbedOptions } from './models/encoder/embedder.ts';
export type { EncoderFolderModel } from './models/encoder/index.ts';
export type { TextLabel } from './models/encoder/labels.ts';
export type { Filling, FillOptions, MaskFiller } from './models/encoder/mask-filler.ts';
export type { ReadOptions, TextPair } from './models/encoder/model.ts';
export type { Tagged, Tagger, TagOptions } from './models/encoder/tagger.ts';
export type { EncoderTask } from './models/encoder/tasks.ts';
export type { Gpt2Shape } from './models/gpt2.ts';
export type { FolderModel } from './models/index.ts';
export type { LoadOptions, ModelDataType, ModelInfo } from './models/model.ts';
export type {
  LayerReport,
  ModelReport,
  OpReport,
  OutputError,
  ReportOptions,
  Sample,
  WeightBytes,
  WeightError,
} from './models/report.ts';
export type { ClassifyOptions, ImageClassifier, Prediction, ResNetShape } from './models/resnet.ts';
export type { Transcriber } from './models/seq2seq/transcriber.ts';
export type { Translator } from './models/seq2seq/translator.ts';
export type { TranslateOptions } from './models/seq2seq/translator-options.ts';
export type { Segment, TranscribeOptions, Transcription } from './models/seq2seq/whisper/options.ts';
export type { ModelSummary, Numbers, SummaryRow } from './models/summary.ts';
export type { TextShape } from './models/text-family.ts';
export type { TextGenerator } from './models/text-generator.ts';
export type {
  ChatOptions,
  GeneratedToken,
  GenerateOptions,
  Generation,
  Perplexity,
  PerplexityOptions,
} from './models/text-options.ts';
export type { GraphModel, GraphRunOptions } from './onnx/graph-model.ts';
export type { GraphNode, GraphValue } from './onnx/nodes.ts';
export type {
  GraphBuffer,
  GraphData,
  GraphInput,
  GraphInputs,
  GraphNumbers,
  GraphOutput,
  GraphTensor,
} from './onnx/run-tensors.ts';
export type { HostCosts, Profile, ProfileOptions, ProfileRow, Spread } from './profile/profile.ts';
export type { Bound, Ceilings } from './profile/roof.ts';
export type { KindTotal, LayerTotal } from './profile/totals.ts';
export type { DeviceInput, RunOptions, Session, SessionInputs, TensorInput } from './runtime/session.ts';
export type { OnProgress, Progress } from './tensor/progress.ts';
export type { Blocks, BlockType, Ranged, StoredType, TensorSource } from './tensor/source.ts';
export type { DataType, HostData, LogicalType, TensorData, TensorDescriptor } from './tensor/types.ts';
export type { AdjustmentOptions, SequenceBias } from './text/adjustments.ts';
export type { ChatMessage, ChatTemplateOptions } from './text/chat.ts';
export type { TextConstraint } from './text/constraint/index.ts';
export type { Logprobs, TokenLogprob } from './text/logprobs.ts';
export type { EncodeOptions, FramedTokens, Tokenizer } from './text/tokenizer.ts';
export type { TuneMode } from './tune/tuner.ts';
export type { IndexOptions, OpenIndexOptions, VectorSource } from './vectors/make.ts';
export type { Metric, Vector, VectorDataType } from './vectors/table.ts';
export type { Hit, SearchOptions, VectorIndex } from './vectors/vector-index.ts';
export type { WordVectorsOptions } from './vectors/words/open.ts';
export type { Analogy, NearWord, WordVectors } from './vectors/words/word-vectors.ts';
export type { Summary, VerifyOptions, VerifyReport, VerifyRow } from './verify/verify.ts';
export type { PictureSource } from './vision/decode.ts';
export type { Picture, Preprocessing, Triple } from './vision/preprocess.ts';
export type { Interpolation } from './vision/resample.ts';
export type { DevicePicture, PictureBuffer } from './vision/surface.ts';
