import type { Engine } from '../../../src/index.ts';
import type { ProblemBox } from '../../shared/problem.ts';

/** What the figures of a lesson are made with. */
export interface Desk {
  readonly engine: Engine;
  /** Where the page says what went wrong. */
  readonly problems: ProblemBox;
}

/** A lesson's `page.ts`: its figures, drawn for the first time when the promise resolves. */
interface Page {
  start(desk: Desk): Promise<void>;
}

/** Starts a lesson's figures when its text was painted: neither the engine nor anything that needs it is loaded before. */
export async function lesson(load: () => Promise<Page>): Promise<void> {
  await painted();
  const [{ noWebGpu, showAdapter }, { ProblemBox }, { Engine }] = await Promise.all([
    import('../../shared/adapter.ts'),
    import('../../shared/problem.ts'),
    import('../../../src/index.ts'),
  ]);
  const { body } = document;
  const place = document.querySelector<HTMLElement>('#problem')!;
  const problems = new ProblemBox(place);
  const availability = await showAdapter();
  if (!availability.available) {
    body.dataset['figures'] = 'none';
    place.replaceChildren(noWebGpu(availability));
    return;
  }
  try {
    const [{ start }, engine] = await Promise.all([load(), Engine.create()]);
    await start({ engine, problems });
    body.dataset['figures'] = 'drawn';
  } catch (error) {
    // Figures that were half begun are not begun again on the same page.
    problems.show(error, () => location.reload());
  }
}

/** After the next frame: what the HTML says is on the screen. In a tab that nobody sees there are no frames, and no wait. */
const painted = (): Promise<void> =>
  new Promise((resolve) => {
    if (document.hidden) resolve();
    requestAnimationFrame(() => setTimeout(resolve));
  });

/**
 * Makes work that may be asked for faster than it is done: one runs at a time, and what is asked for meanwhile is one more run, after it. Errors are
 * shown.
 */
export function latest({ problems }: Desk, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (): Promise<void> => {
    try {
      do {
        again = false;
        await work();
      } while (again);
    } catch (error) {
      problems.show(error);
    } finally {
      running = undefined;
    }
  };
  return () => {
    again = true;
    running ??= run();
    return running;
  };
}

/** What is made once for each name. */
export function remembered<T>(made: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}
