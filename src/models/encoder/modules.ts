import { TilewrightError } from '../../errors.ts';
import { openCheckpoint } from '../../formats/checkpoint.ts';
import { type Folder, readJson, readValue } from '../../hub/folder.ts';
import { checkFields, either, flag, integer, list, object, oneOf, refuse, text } from '../../options.ts';
import type { Fields } from '../config.ts';
import { Weights } from '../weights.ts';
import { POOLING, type Pooling } from './pooling.ts';

/** A product after the pooling. */
export interface Dense {
  readonly weights: Weights;
  readonly bias: boolean;
  /** As ACTIVATIONS names it. */
  readonly activation: string;
  /** What goes in is added to what comes out. */
  readonly residual: boolean;
}

/** What makes one vector of a text's rows: the modules of a folder of sentence-transformers. */
export interface EmbeddingModules {
  readonly pooling: readonly Pooling[];
  /** Whether the tokens of a prompt count in the pooling. */
  readonly includePrompt: boolean;
  readonly after: readonly (Dense | 'normalize')[];
  /** Tokens of a text at the most, where the folder says it. */
  readonly longest: number | undefined;
  readonly lowerCase: boolean;
  /** Texts that come before a text, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the prompt where the caller names none. */
  readonly defaultPrompt: string | undefined;
}

/** Without modules.json: the mean of the rows. */
const PLAIN: EmbeddingModules = {
  pooling: ['mean'],
  includePrompt: true,
  after: [],
  longest: undefined,
  lowerCase: false,
  prompts: {},
  defaultPrompt: undefined,
};

/** Activations by the classes of PyTorch that Dense names. */
const CLASSES: Readonly<Record<string, string>> = {
  'torch.nn.modules.activation.Tanh': 'tanh',
  'torch.nn.modules.activation.ReLU': 'relu',
  'torch.nn.modules.activation.GELU': 'gelu',
  'torch.nn.modules.activation.SiLU': 'silu',
  'torch.nn.modules.activation.Sigmoid': 'sigmoid',
  'torch.nn.modules.linear.Identity': 'linear',
};

interface ModuleEntry {
  readonly path: string;
  readonly type: string;
}

/** Reads modules.json and what it names. Errors: `unsupported-option`, `invalid-file`, `not-found`. */
export async function readModules(folder: Folder, signal?: AbortSignal): Promise<EmbeddingModules> {
  const modules = await readValue(folder, 'modules.json', signal);
  if (modules === undefined) return PLAIN;
  const where = `${folder.name}: modules.json`;
  if (!Array.isArray(modules)) return refuse('invalid-file', where, 'contents', 'a list', modules);
  const entries = modules.map((entry: unknown): ModuleEntry => {
    const { path = '', type } = (object[1](entry) ? entry : {}) as Partial<ModuleEntry>;
    if (typeof type !== 'string' || typeof path !== 'string')
      return refuse('invalid-file', where, 'a module', 'a type and a path', entry);
    return { path, type: type.split('.').at(-1)! };
  });
  const kinds = entries.map(({ type }) => type);
  const order = kinds.every((kind, i) =>
    i === 0 ? kind === 'Transformer' : i === 1 ? kind === 'Pooling' : AFTER(kind),
  );
  if (!order || kinds.length < 2)
    return refuse(
      'unsupported-option',
      where,
      'modules',
      'Transformer, Pooling, then Dense or Normalize',
      kinds.join(),
    );
  if (entries[0]!.path)
    return refuse('unsupported-option', where, 'the path of the Transformer', 'the folder itself', entries[0]!.path);
  const [pooling, ...rest] = entries.slice(1);
  const configOf = async ({ path }: ModuleEntry): Promise<Fields> =>
    ((await readJson(folder, `${path}/config.json`, signal)) ?? {}) as Fields;
  const [of, sentence, prompts] = await Promise.all([
    configOf(pooling!),
    readJson(folder, 'sentence_bert_config.json', signal),
    readJson(folder, 'config_sentence_transformers.json', signal),
  ]);
  return {
    ...poolingOf(`${folder.name}: ${pooling!.path}/config.json`, of),
    ...settingsOf(folder.name, (sentence ?? {}) as Fields, (prompts ?? {}) as Fields),
    after: await Promise.all(
      rest.map(async (entry) =>
        entry.type === 'Normalize' ? 'normalize' : denseOf(folder, entry, await configOf(entry), signal),
      ),
    ),
  };
}

const AFTER = (kind: string): boolean => kind === 'Dense' || kind === 'Normalize';

/** The modes: a name, a list of names, or a flag for each, as files of before 2026 have them. */
function poolingOf(where: string, config: Fields): Pick<EmbeddingModules, 'pooling' | 'includePrompt'> {
  const mode = oneOf(...POOLING);
  checkFields(where, config, { pooling_mode: either(mode, list(mode)), include_prompt: flag });
  const flags: Readonly<Record<string, Pooling>> = {
    pooling_mode_cls_token: 'cls',
    pooling_mode_max_tokens: 'max',
    pooling_mode_mean_tokens: 'mean',
    pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
    pooling_mode_weightedmean_tokens: 'weightedmean',
    pooling_mode_lasttoken: 'lasttoken',
  };
  const said = config['pooling_mode'] as Pooling | Pooling[] | undefined;
  const older = Object.entries(flags).flatMap(([name, mode]) => (config[name] === true ? [mode] : []));
  const pooling = [said ?? older].flat();
  return { pooling: pooling.length ? pooling : ['mean'], includePrompt: config['include_prompt'] !== false };
}

function settingsOf(
  name: string,
  sentence: Fields,
  { prompts, default_prompt_name }: Fields,
): Pick<EmbeddingModules, 'longest' | 'lowerCase' | 'prompts' | 'defaultPrompt'> {
  checkFields(`${name}: sentence_bert_config.json`, sentence, {
    max_seq_length: integer(1),
    do_lower_case: flag,
    transformer_task: oneOf('feature-extraction'),
  });
  checkFields(
    `${name}: config_sentence_transformers.json`,
    { prompts, default_prompt_name },
    {
      prompts: ['texts by name', (value) => object[1](value) && Object.values(value as object).every(text[1])],
      default_prompt_name: text,
    },
  );
  return {
    longest: (sentence['max_seq_length'] ?? undefined) as number | undefined,
    lowerCase: sentence['do_lower_case'] === true,
    prompts: (prompts ?? {}) as Readonly<Record<string, string>>,
    defaultPrompt: (default_prompt_name ?? undefined) as string | undefined,
  };
}

async function denseOf(folder: Folder, { path }: ModuleEntry, config: Fields, signal?: AbortSignal): Promise<Dense> {
  const sentence = oneOf('sentence_embedding');
  checkFields(`${folder.name}: ${path}/config.json`, config, {
    ...{ in_features: integer(1), out_features: integer(1), bias: flag, use_residual: flag },
    activation_function: oneOf(...Object.keys(CLASSES)),
    ...{ module_input_name: sentence, module_output_name: sentence },
  });
  const inner: Folder = {
    name: `${folder.name}/${path}`,
    open: (file) => folder.open(`${path}/${file}`),
    find: (file, onMissing) => folder.find(`${path}/${file}`, onMissing),
  };
  const checkpoint = await openCheckpoint(inner, signal);
  if ('fields' in checkpoint)
    throw new TilewrightError('invalid-file', `${inner.name}: expected model.safetensors, got a GGUF file`);
  const weights = new Weights(checkpoint, 'linear.');
  weights.get('weight', [Number(config['out_features'] ?? -1), Number(config['in_features'] ?? -1)]);
  return {
    weights,
    bias: config['bias'] !== false,
    activation: CLASSES[String(config['activation_function'] ?? 'torch.nn.modules.activation.Tanh')]!,
    residual: config['use_residual'] === true,
  };
}
