import type { ChatMessage } from '../../src/index.ts';
import { make } from '../shared/dom.ts';

type Role = 'user' | 'assistant';

interface Turn {
  readonly role: Role;
  readonly element: HTMLElement;
  /** What was said: its data is the turn's content, and is never read as HTML. */
  readonly text: Text;
}

const NAMES: Record<Role, string> = { user: 'You', assistant: 'Model' };

/** The turns of a conversation, as they are shown and as a model reads them. */
export class Conversation {
  readonly #turns: Turn[] = [];

  constructor(private readonly log: HTMLElement) {}

  get length(): number {
    return this.#turns.length;
  }

  /** Who spoke last. */
  get last(): Role | undefined {
    return this.#turns.at(-1)?.role;
  }

  /** What a model is given: what it is told beforehand, where that is any, and the turns. */
  messages(system: string): ChatMessage[] {
    const turns = this.#turns.map(({ role, text }) => ({ role, content: text.data }));
    return system ? [{ role: 'system', content: system }, ...turns] : turns;
  }

  add(role: Role, content = ''): void {
    const text = document.createTextNode(content);
    const said = make('p', { class: 'said' }, text);
    const element = make('div', { class: `turn ${role}` }, make('h3', {}, NAMES[role]), said);
    this.#turns.push({ role, element, text });
    this.log.append(element);
    this.#toEnd();
  }

  /** Goes on with the last turn. A reader who has scrolled back stays there. */
  write(more: string): void {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const atEnd = scrollHeight - scrollTop - clientHeight < 40;
    this.#turns.at(-1)!.text.appendData(more);
    if (atEnd) this.#toEnd();
  }

  /** Takes the last turn away, and gives what it said. */
  removeLast(): string {
    return this.#remove(this.#turns.pop());
  }

  /** Takes the first turn away, with what follows up to the person's next. */
  removeOldest(): void {
    do this.#remove(this.#turns.shift());
    while (this.#turns[0]?.role === 'assistant');
  }

  clear(): void {
    while (this.length) this.removeLast();
  }

  #remove(turn: Turn | undefined): string {
    turn?.element.remove();
    return turn?.text.data ?? '';
  }

  #toEnd(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }
}
