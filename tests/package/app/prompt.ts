// An app in strict TypeScript that is written for the web platform's Prompt API.
import { Engine } from 'tilewright';
import { type LanguageModel, PromptAPI } from 'tilewright/prompt';
import { Engine as Remote } from 'tilewright/worker';

const engine = await Engine.create();
const api = new PromptAPI((how) => engine.load('org/model', how));

/** The same over a model in a worker. */
export const inWorker = async (): Promise<PromptAPI> => new PromptAPI(await (await Remote.create()).load('org/model'));

export async function answer(question: string): Promise<string> {
  const session: LanguageModel = await api.create({
    initialPrompts: [{ role: 'system', content: 'Be brief.' }],
    monitor: (m) => m.addEventListener('downloadprogress', ({ loaded }) => void loaded.toFixed()),
  });
  // @ts-expect-error: what is wrong is still told
  session.prompt([{ role: 'robot', content: question }]);
  const reader = session.promptStreaming(question, { responseConstraint: /yes|no/ }).getReader();
  const { value = '' } = await reader.read();
  session.destroy();
  return value;
}
