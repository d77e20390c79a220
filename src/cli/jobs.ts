import { answer, ready } from './jobs/answer.ts';
import { bench, benchStart } from './jobs/bench.ts';
import { calibrate } from './jobs/calibrate.ts';
import { chat, chatReady } from './jobs/chat.ts';
import { classify } from './jobs/classify.ts';
import { devices } from './jobs/devices.ts';
import { embed } from './jobs/embed.ts';
import { evalChoices } from './jobs/eval-choices.ts';
import { evalImages } from './jobs/eval-images.ts';
import { evalText } from './jobs/eval-text.ts';
import { generate } from './jobs/generate.ts';
import type { Job } from './jobs/job.ts';
import { caps, kernel } from './jobs/kernel.ts';
import { nearest } from './jobs/nearest.ts';
import { plan } from './jobs/plan.ts';
import { profile } from './jobs/profile.ts';
import { quantize, storedTensors } from './jobs/quantize.ts';
import { readTexts } from './jobs/read-texts.ts';
import { report } from './jobs/report.ts';
import { runGraph } from './jobs/run-graph.ts';
import { search } from './jobs/search.ts';
import { transcribe } from './jobs/transcribe.ts';
import { translate } from './jobs/translate.ts';
import { tune } from './jobs/tune.ts';
import { verify } from './jobs/verify.ts';

/** Everything that a command has done on a GPU, by name. */
export const jobs = {
  answer,
  ready,
  chat,
  chatReady,
  devices,
  classify,
  embed,
  readTexts,
  search,
  generate,
  runGraph,
  nearest,
  profile,
  plan,
  kernel,
  caps,
  evalImages,
  evalText,
  evalChoices,
  calibrate,
  bench,
  benchStart,
  transcribe,
  translate,
  tune,
  verify,
  storedTensors,
  quantize,
  report,
};

export type JobName = keyof typeof jobs;
export type ArgsOf<Name extends JobName> = (typeof jobs)[Name] extends Job<infer Args, infer _> ? Args : never;
export type ResultOf<Name extends JobName> = (typeof jobs)[Name] extends Job<infer _, infer Result> ? Result : never;
