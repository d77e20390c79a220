import { styleText } from 'node:util';
import type { MultiBar, SingleBar } from 'cli-progress';

type Format = Parameters<typeof styleText>[0];

/** How a command speaks: results on standard output, all else on standard error. */
export interface Terminal {
  /** Results go out as one piece of JSON, and nothing else does. */
  readonly json: boolean;
  /** A line of the result; nothing with `--json`. */
  print(line?: string): void;
  /** A piece of the result, without an end of line; nothing with `--json`. */
  write(text: string): void;
  /** The result, where `--json` asks for it. */
  result(value: unknown): void;
  /** A line that is no result. */
  note(line: string): void;
  /** Colour, where standard output is a terminal that wants it. */
  paint(format: Format, text: string): string;
  /** The same for standard error. */
  paintNote(format: Format, text: string): string;
  readonly bars: Bars;
}

/** Whether a stream is a terminal that shows colour, by https://no-color.org and TERM. */
const colourful = (stream: NodeJS.WriteStream): boolean =>
  Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

export function openTerminal(json: boolean): Terminal {
  const { stdout, stderr } = process;
  const bars = new Bars(Boolean(stderr.isTTY));
  const painter = (stream: NodeJS.WriteStream) => (format: Format, text: string) =>
    colourful(stream) ? styleText(format, text) : text;
  const out = (text: string): void => {
    if (json) return;
    bars.clear(); // bars and results may share the screen
    stdout.write(text);
  };
  return {
    json,
    bars,
    print: (line = '') => out(`${line}\n`),
    write: out,
    result: (value) => {
      bars.clear();
      if (json) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    note: (line) => {
      bars.clear();
      stderr.write(`${line}\n`);
    },
    paint: painter(stdout),
    paintNote: painter(stderr),
  };
}

/** Progress on standard error, a bar for each kind of work at a time; nothing at all where that is no terminal. */
export class Bars {
  #all: MultiBar | undefined;
  readonly #bars = new Map<string, SingleBar>();
  #cliProgress: typeof import('cli-progress') | undefined;

  constructor(private readonly shown: boolean) {}

  /** Must be awaited before the first bar. */
  async ready(): Promise<void> {
    if (!this.shown) return;
    this.#cliProgress = (await import('cli-progress')).default;
  }

  /** Moves the bar of this name, which is there from its first move. */
  update(name: string, done: number, total: number, label = ''): void {
    if (!this.#cliProgress || !(total > 0)) return;
    this.#all ??= new this.#cliProgress.MultiBar(
      {
        format: '  {name} {bar} {percentage} %  {label}',
        hideCursor: true,
        clearOnComplete: true,
        barsize: 30,
        fps: 10,
        stream: process.stderr,
      },
      this.#cliProgress.Presets.rect,
    );
    let bar = this.#bars.get(name);
    if (!bar) {
      bar = this.#all.create(total, 0, { name: name.padEnd(9), label: '' });
      this.#bars.set(name, bar);
    }
    bar.setTotal(total);
    bar.update(Math.min(done, total), { label: label.slice(0, 40) });
  }

  /** Takes all bars off the screen. */
  clear(): void {
    this.#all?.stop();
    this.#all = undefined;
    this.#bars.clear();
  }
}
