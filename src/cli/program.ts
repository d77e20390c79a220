import { Command, CommanderError, Option } from 'commander';
import { PRESETS } from '../../bench/parameters.ts';
import { ALL_SUITES, DTYPES, LOADERS, PEERS } from '../../bench/report.ts';
import { version } from '../../package.json';
import { WEIGHT_TYPES } from '../graph/passes/weight_types.ts';
import { PREPROCESSING } from '../onnx/pictures.ts';
import type { CommandContext } from './commands/context.ts';
import {
  dimensions,
  fraction,
  groupSize,
  PLANNED_GPUS,
  percentage,
  port,
  positiveInteger,
  probability,
  temperature,
  weightTypes,
  wholeNumber,
} from './options.ts';
import type { RuntimeName } from './runtime.ts';
import { openTerminal } from './terminal.ts';
import { toWire } from './wire.ts';

const EXAMPLES = `
Models: a folder in the layout of Hugging Face, a .safetensors, .gguf or .onnx file, a URL of any, one that ships
(resnet20-cifar10, gpt-shakespeare, llama-shakespeare), or org/model[@revision] of a hub: HF_ENDPOINT and HF_TOKEN say which, and who asks.

Examples:
  tilewright run resnet20-cifar10 --image cat.png dog.jpg
  tilewright run gpt-shakespeare --prompt "ROMEO:" --max-new-tokens 200
  tilewright profile gpt-shakespeare --plan decode
  tilewright profile resnet20-cifar10 --html profile.html --trace profile.json
  tilewright summary resnet20-cifar10
  tilewright eval resnet20-cifar10 --images cifar10_test.tar.gz --dtype int8
  tilewright quantize gpt-shakespeare gpt-int8 --report
  tilewright inspect model.safetensors --json
  tilewright chat llama-shakespeare
  tilewright chat org/model --system "Be brief."
  tilewright embed org/model "A cat sat." "Un chat."
  tilewright serve org/model --dtype int4
  tilewright run model.onnx --input ids=ids.npy --dims batch=1,sequence=8 --output out`;

const LABELS = `
A label is what plan, profile, tune and verify print for a step. Kernels of one label may differ in constants: 'label #2' is the second.

Examples:
  tilewright kernel 'conv2d_registers[f32,relu,4x4]' resnet20-cifar10
  tilewright kernel 'matmul_tiled[f32,none,64x64]' --gpu intel`;

const WORDS = `
A file is GloVe's text, or word2vec's text or binary form; a folder, a URL or org/model of a hub is model2vec.

Examples:
  tilewright nearest glove.6B.100d.txt ice
  tilewright nearest GoogleNews-vectors.bin king woman --without man --dtype int8`;

/** Options as commander gives them. */
type Options = { json?: boolean | string; runtime?: RuntimeName };

/** Runs the command line; gives the exit status: 0, 1 after an error, 2 for wrong usage, 130 after Ctrl-C. */
export async function cli(argv: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130); // the second Ctrl-C waits for nothing
    abort.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    await build(abort.signal).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof Unsuccessful) return 1;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    report(error, argv.includes('--json'));
    return abort.signal.aborted ? 130 : 1;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** The command did its work and said what came of it, which is nothing good. */
class Unsuccessful extends Error {}

/** `error [code]: message`, then what to do about it. */
function report(error: unknown, json: boolean): void {
  const terminal = openTerminal(json);
  const wire = toWire(error);
  terminal.note(`${terminal.paintNote('red', `error [${wire.code}]:`)} ${wire.message}`);
  if (wire.hint) terminal.note(terminal.paintNote('dim', wire.hint));
  terminal.result({ error: wire });
}

/** All commands. What they do is loaded when they are called. */
export function build(signal: AbortSignal): Command {
  const program = new Command('tilewright')
    .description(
      'WebGPU inference from safetensors, GGUF and ONNX: run, profile, inspect and evaluate models in headless Chrome or in Node.',
    )
    .version(version)
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  const contextOf = ({ json, runtime = 'chrome' }: Options): CommandContext => ({
    terminal: openTerminal(json === true),
    signal,
    runtime,
  });
  const command = (usage: string, description: string): Command =>
    program.command(usage).description(description).exitOverride();
  const withJson = (target: Command): Command =>
    target.option('--json', 'print the result as JSON, and nothing else on standard output');
  const withRuntime = (target: Command): Command =>
    target.addOption(
      new Option('--runtime <name>', 'where the GPU is reached: headless Chrome, or Dawn in Node').choices([
        'chrome',
        'dawn',
      ]),
    );
  const withDtype = (target: Command): Command =>
    target
      .option(
        '--dtype <type>',
        `${WEIGHT_TYPES.join(', ')}, or by layer: int8,fc=float32 (default: as stored)`,
        weightTypes,
      )
      .addOption(
        new Option('--group-size <n>', 'weights along the input that share a scale (int8: a channel; int4: 32)')
          .choices(['32', '64', '128'])
          .argParser(groupSize),
      );
  const withDims = (target: Command): Command =>
    target.option(
      '--dims <name=n,...>',
      "of an ONNX model: numbers for its inputs' dimensions ('?': unnamed)",
      dimensions,
    );
  const onModel = (target: Command): Command => withJson(withRuntime(withDtype(target)));

  withJson(withRuntime(command('devices', 'list the adapters, of both runtimes where none is named'))).action(
    async (options: Options) => {
      const { devices } = await import('./commands/devices.ts');
      await devices(options.runtime, contextOf(options));
    },
  );

  withDims(onModel(command('run <model>', 'classify pictures, continue a prompt, or run an ONNX model on tensors')))
    .option('--image <file...>', 'pictures to classify')
    .option('--prompt <text>', 'text to continue')
    .option(
      '--input <name=file...>',
      'tensors of an ONNX model: .npy or .json; a file or a folder of files that have the names of inputs',
    )
    .option('--random', 'make up the inputs of an ONNX model that are not given')
    .option('--output <folder>', 'write the outputs of an ONNX model there, as .npy')
    .option(
      '--top-k <n>',
      'labels a picture (default 5), or likeliest tokens to draw from (default 40)',
      positiveInteger,
    )
    .option('--temperature <t>', '0 always takes the likeliest token', temperature, 0.8)
    .option('--top-p <p>', 'draw from the fewest tokens whose probabilities reach this sum', probability)
    .option('--seed <n>', 'the same seed draws the same text, and the same inputs (--random)', wholeNumber)
    .option('--max-new-tokens <n>', 'tokens to add', positiveInteger, 128)
    .addOption(
      new Option('--overflow <what>', 'what to do when the context is full').choices(['stop', 'slide']).default('stop'),
    )
    .action(async (model: string, options, self: Command) => {
      const { image, prompt, input = options.random } = options;
      const given = Object.entries({ image, prompt, input }).filter(([, value]) => value !== undefined);
      if (given.length > 1) self.error('error: give only one of --image, --prompt and --input, not both');
      if (!given.length && !/\.(onnx|ort)$/i.test(model))
        self.error('error: give either --image or --prompt, or --input for an ONNX model');
      const { run } = await import('./commands/run.ts');
      await run(model, options, contextOf(options));
    });

  withJson(
    withRuntime(
      command('nearest <file> <word...>', 'the words nearest to a word, or to the sum of several, by their vectors'),
    ),
  )
    .addHelpText('after', WORDS)
    .option('--without <word...>', 'words that are taken away from the sum')
    .option('--top-k <n>', 'words to list', positiveInteger, 10)
    .addOption(
      new Option('--dtype <type>', 'how vectors are kept (default: float32)').choices(['float32', 'float16', 'int8']),
    )
    .action(async (file: string, words: readonly string[], options) => {
      const { nearest } = await import('./commands/nearest.ts');
      await nearest(file, words, options, contextOf(options));
    });

  onModel(command('transcribe <model> <file>', 'write down what is said in a WAV file'))
    .option('--language <code>', 'what is spoken, as the model names it: en (default: it is detected)')
    .addOption(
      new Option('--task <what>', 'what is written: what is said, or its translation into English').choices([
        'transcribe',
        'translate',
      ]),
    )
    .option('--no-timestamps', 'a segment is a window, not what the model says')
    .action(async (model: string, file: string, options) => {
      const { transcribe } = await import('./commands/transcribe.ts');
      await transcribe(model, file, options, contextOf(options));
    });

  onModel(command('translate <model>', 'write what a model writes for a text: a translation, a summary'))
    .requiredOption('--text <text...>', 'texts')
    .option('--beams <n>', 'texts that are written side by side, of which the best counts', positiveInteger)
    .option('--max-new-tokens <n>', 'tokens to write', positiveInteger)
    .option('--truncate', 'cut a text that is longer than the model reads')
    .action(async (model: string, options) => {
      const { translate } = await import('./commands/translate.ts');
      await translate(model, options, contextOf(options));
    });

  withDims(withRuntime(withDtype(command('profile <model>', "time each kernel of a model's plans"))))
    .option('--json [file]', 'write the profiles to a file, or print them as JSON and nothing else')
    .option('--plan <name>', 'only this plan: image, decode, prefill')
    .option('--rounds <n>', 'how often each dispatch is measured (default 5)', positiveInteger)
    .option('--steps', 'a row for each dispatch, not for each kernel and shape')
    .option('--html <file>', 'write a report to look at: table, roofline, layers; one file that fetches nothing')
    .option('--trace <file>', 'write a trace that Perfetto and chrome://tracing open')
    .action(async (model: string, { json, ...options }) => {
      const { profile } = await import('./commands/profile.ts');
      const file = typeof json === 'string' && { jsonFile: json };
      await profile(model, { ...options, ...file }, contextOf({ ...options, json }));
    });

  withDims(withJson(command('summary <model>', 'layers, parameters, operations and bytes; without a GPU or weights')))
    .option('--plan <name>', 'only this plan: image, decode, prefill')
    .action(async (model: string, options) => {
      const { summary } = await import('./commands/summary.ts');
      await summary(model, options, contextOf(options));
    });

  withDims(
    onModel(
      command('tune <model>', "measure each kernel candidate of a model's shapes here, and remember the winners"),
    ),
  )
    .option('--fast', 'only the likely candidates, within 2 s of GPU time, as a first load does on a GPU')
    .action(async (model: string, options) => {
      const { tune } = await import('./commands/tune.ts');
      await tune(model, options, contextOf(options));
    });

  withDims(
    onModel(
      command(
        'verify [model]',
        'check each kernel of a model here, or all ops, and set aside what gives wrong results',
      ),
    ),
  )
    .option('--all', 'every candidate of each op and shape, not only the one that runs')
    .option('--op <name...>', 'only these ops: matmul, conv2d, ...')
    .option('--forget', 'forget first what was set aside before')
    .option('--save <file>', 'where the first node of an ONNX model that is off is written (default: its name, here)')
    .action(async (model: string | undefined, options) => {
      const { verify } = await import('./commands/verify.ts');
      if (!(await verify(model, options, contextOf(options)))) throw new Unsuccessful();
    });

  withJson(
    command(
      'inspect <checkpoint>',
      'list the tensors of a .safetensors or .gguf file, or what an .onnx file takes, gives and computes',
    ),
  ).action(async (source: string, options: Options) => {
    const { inspect } = await import('./commands/inspect.ts');
    await inspect(source, contextOf(options));
  });

  withDims(onModel(command('plan <model>', 'print what would run: kernels, buffers, memory')))
    .option('--plan <name>', 'only this plan: image, decode, prefill')
    .action(async (model: string, options) => {
      const { plan } = await import('./commands/plan.ts');
      await plan(model, options, contextOf(options));
    });

  withDims(
    onModel(
      command(
        'kernel <label> [model]',
        'print the WGSL of a kernel of a model, or of the cases of the ops and the bench, as it is linked',
      ),
    ),
  )
    .addOption(
      new Option('--gpu <which>', 'without a model: as planned for such a GPU, instead of the adapter here').choices(
        PLANNED_GPUS,
      ),
    )
    .addHelpText('after', LABELS)
    .action(async (label: string, model: string | undefined, options, self: Command) => {
      if (model !== undefined && options.gpu) self.error('error: give either a model or --gpu, not both');
      const { kernel } = await import('./commands/kernel.ts');
      await kernel(label, model, options, contextOf(options));
    });

  const PREPROCESS = `of an ONNX model: how pictures become numbers, ${Object.keys(PREPROCESSING).join(', ')}, or a preprocessor_config.json`;
  withDims(onModel(command('quantize <model> [out]', 'write a folder with int8 weights, or report what they cost')))
    .option('--report', 'bytes and errors of each layer, of its weights and of its output against float32')
    .option('--image <file...>', 'pictures to measure outputs on (default: made up)')
    .option('--prompt <text...>', 'texts to measure outputs on (default: made up)')
    .option(
      '--calibrate <samples>',
      'store scales of static activations too: a set of pictures (as eval --images) or a .txt',
    )
    .option('--percentile <p>', 'the share of activations that the scales shall hold (default 100)', percentage)
    .option('--preprocess <how>', PREPROCESS)
    .action(async (model: string, out: string | undefined, options, self: Command) => {
      if (out === undefined && !options.report) self.error('error: give a folder to write, or --report, or both');
      const { quantize } = await import('./commands/quantize.ts');
      await quantize(model, out, options, contextOf(options));
    });

  onModel(command('embed <model> [text...]', 'vectors of texts: how near they are, and with --json their numbers'))
    .option('--texts <file>', 'a file with a text a line')
    .option('--prompt-name <name>', "one of the model's prompts: query, document")
    .option('--dimensions <n>', 'only the first numbers of a vector', positiveInteger)
    .option('--truncate', 'cut texts that are longer than the model reads')
    .action(async (model: string, texts: string[], options, self: Command) => {
      if (!texts.length && options.texts === undefined) self.error('error: give texts, or --texts, or both');
      const { embed } = await import('./commands/embed.ts');
      await embed(model, texts, options, contextOf(options));
    });

  onModel(command('search <model> <query...>', 'the lines of a file that mean what a query asks, by vectors of both'))
    .requiredOption('--texts <file>', 'a file with a text a line')
    .option('--top-k <n>', 'lines a query', positiveInteger, 5)
    .option('--truncate', 'cut texts that are longer than the model reads')
    .action(async (model: string, queries: string[], options) => {
      const { search } = await import('./commands/search.ts');
      await search(model, queries, options, contextOf(options));
    });

  onModel(
    command('classify-text <model> [text...]', 'labels of texts or of their words, answers, or what stands in gaps'),
  )
    .option('--texts <file>', 'a file with a text a line')
    .option('--pair <text>', 'read after each text: the passage of a question, the second of a pair')
    .option('--top-k <n>', 'labels, answers or tokens of a gap at the most', positiveInteger)
    .option('--truncate', 'cut texts that are longer than the model reads')
    .action(async (model: string, texts: string[], options, self: Command) => {
      if (!texts.length && options.texts === undefined) self.error('error: give texts, or --texts, or both');
      const { classifyText } = await import('./commands/classify-text.ts');
      await classifyText(model, texts, options, contextOf(options));
    });

  withDims(
    onModel(
      command('eval <model>', 'top-1 and top-5 over labelled pictures, perplexity over a text, or multiple choice'),
    ),
  )
    .option(
      '--images <set>',
      'a folder or .tar(.gz) with a folder a class, a .csv of label,bytes, or an ...-images-idx3-ubyte(.gz)',
    )
    .option('--text <file>', 'a text in UTF-8')
    .option('--choices <file>', 'questions, a JSON list of { prompt, choices, answer }; the answer counts from 0')
    .option('--from <fraction>', 'start at this share of the text: 0.9 is its last tenth', fraction, 0)
    .option(
      '--limit <n>',
      'at most so many pictures, spread over the set; windows of text; or questions',
      positiveInteger,
    )
    .option('--batch <n>', 'pictures that go to the GPU together', positiveInteger)
    .addOption(
      new Option('--activations <how>', 'int8 activations too: scales at run time, or from a calibration').choices([
        'dynamic',
        'static',
      ]),
    )
    .option('--calibrate <samples>', 'pictures (as --images) or a text to take the scales of static activations from')
    .option('--percentile <p>', 'the share of activations that the scales shall hold (default 100)', percentage)
    .option('--preprocess <how>', PREPROCESS)
    .option('--everywhere', 'integer products also where others are faster on this adapter')
    .action(async (model: string, options, self: Command) => {
      exactlyOne(self, options, 'images', 'text', 'choices');
      const { evaluate } = await import('./commands/eval.ts');
      await evaluate(model, options, contextOf(options));
    });

  withDims(
    withRuntime(
      command('bench', 'measure single ops, the models that ship and loading; or the same beside other engines'),
    ),
  )
    .addOption(
      new Option('--suite <name...>', 'only these (custom: the model of --model)').choices([...ALL_SUITES, 'all']),
    )
    .option('--only <text>', 'only the cases that have this in their name, shape or type')
    .addOption(new Option('--dtype <type...>', 'only cases of these types').choices(DTYPES))
    .option('--model <model>', 'measure this one, a folder or a file: its load, its first answer, answers after that')
    .option('--gpu <name>', 'what the GPU is called: browsers do not tell')
    .addOption(
      new Option(
        '--peers [name...]',
        'beside onnxruntime-web, TensorFlow.js and jax-js, where they are installed',
      ).choices(PEERS),
    )
    .addOption(new Option('--start-of <engine>').choices(LOADERS).hideHelp())
    .addOption(new Option('--preset <name>', 'how much (default: quick on a software adapter)').choices(PRESETS))
    .option('--json [file]', 'write the report to a file, or print it and nothing else')
    .action(async ({ json, runtime, ...options }) => {
      const { bench } = await import('./commands/bench.ts');
      await bench({ ...options, ...(typeof json === 'string' && { file: json }) }, contextOf({ json, runtime }));
    });

  onModel(command('chat <model>', 'talk to a model, a line a turn: at the terminal, or with lines of a pipe'))
    .option('--system <text>', 'what the model is told before the conversation')
    .option('--top-k <n>', 'likeliest tokens to draw from', positiveInteger)
    .option('--temperature <t>', '0 always takes the likeliest token', temperature)
    .option('--top-p <p>', 'draw from the fewest tokens whose probabilities reach this sum', probability)
    .option('--seed <n>', 'the same seed and lines draw the same replies', wholeNumber)
    .option('--max-new-tokens <n>', 'tokens of a reply at the most', positiveInteger)
    .addHelpText('after', "\nWhat is left out of how tokens are drawn is as the model's folder says.")
    .action(async (model: string, options) => {
      const { chat } = await import('./commands/chat.ts');
      await chat(model, options, contextOf(options));
    });

  onModel(command('serve <model>', "answer requests in the shape of OpenAI's API: chat, completions, models"))
    .option('--host <name>', 'where to listen; 0.0.0.0 is everywhere', '127.0.0.1')
    .option('--port <n>', '0 takes one that is free', port, 11535)
    .option('--name <name>', "what requests call the model (default: its folder's name)")
    .action(async (model: string, options) => {
      const { serve } = await import('./commands/serve.ts');
      await serve(model, options, contextOf(options));
    });

  const cache = program.command('cache').description('what was fetched of models on a hub, and is kept').exitOverride();
  withJson(cache.command('list').description('the models, the one that was used last first').exitOverride()).action(
    async (options: Options) => {
      const { listCache } = await import('./commands/cache.ts');
      await listCache(contextOf(options));
    },
  );
  withJson(
    cache.command('remove <model...>').description('remove org/model, org/model@revision or an address').exitOverride(),
  ).action(async (names: string[], options: Options) => {
    const { removeCached } = await import('./commands/cache.ts');
    await removeCached(names, contextOf(options));
  });
  withJson(cache.command('clear').description('remove all').exitOverride()).action(async (options: Options) => {
    const { removeCached } = await import('./commands/cache.ts');
    await removeCached(undefined, contextOf(options));
  });

  withJson(
    withRuntime(program.command('demo', { hidden: true }).description('the models that ship at work').exitOverride()),
  ).action(async (options: Options) => {
    const { demo } = await import('./commands/demo.ts');
    await demo(contextOf(options));
  });
  return program;
}

function exactlyOne(command: Command, options: Record<string, unknown>, ...names: string[]): void {
  const given = names.filter((name) => options[name] !== undefined);
  const all = names.map((name) => `--${name}`).join(' or ');
  if (given.length !== 1) command.error(`error: give either ${all}${given.length ? ', not both' : ''}`);
}
