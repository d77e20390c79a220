import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Plugin } from 'vite';

const LEARN = resolve(import.meta.dirname, '../examples/learn');

/** The pages that teach, in the order in which they are read: folder under `examples/learn`, title, what it shows. */
export const LESSONS = [
  [
    'weights',
    'Weights and bias',
    'A neuron is a sum; a layer is many of them. Turn the weights and see the plane tilt.',
  ],
  [
    'activations',
    'Activation functions',
    'What comes after the sum, and why a network without it is one straight line.',
  ],
  ['softmax', 'Softmax and temperature', 'Scores become probabilities, and one number makes them bold or shy.'],
  ['convolution', 'Convolution', 'Nine numbers walk over a picture and find its edges.'],
  ['feature-maps', 'Feature maps', 'What each layer of a residual network sees in a picture.'],
  [
    'embeddings',
    'Tokens and embeddings',
    'Text becomes numbers, numbers become vectors, and some vectors are neighbours.',
  ],
  ['positions', 'Positional encodings', 'How a network that reads all words at once knows which came first.'],
  ['attention', 'Attention', 'Which words each word looks at, in every head of every layer.'],
  ['next-token', 'The next token', 'All that a language model says: how likely each token is to follow.'],
  ['kv-cache', 'The KV cache', 'What is kept so that nothing is read twice: the bytes it takes, the time it saves.'],
  ['int8', 'Small weights', 'int8 and int4 beside float32: what they save, and the error of each layer.'],
  ['flops', 'FLOPs', 'What each layer of a network costs, counted from its shapes and then measured.'],
].map(([folder, title, about]) => ({ folder: folder!, title: title!, about: about! }));

type Lesson = (typeof LESSONS)[number];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').trimEnd();

const link = ({ folder, title }: Lesson, rel: string, said: string): string =>
  `<a rel="${rel}" href="../${folder}/index.html"><span class="soft small">${said}</span>${title}</a>`;

/** The list of all lessons, for the page that leads to them. */
const list = (): string =>
  LESSONS.map(
    ({ folder, title, about }) =>
      `<li><a class="card" href="./${folder}/index.html"><h2>${title}</h2><p>${about}</p></a></li>`,
  ).join('\n        ');

/** What every lesson begins with: where it is among the others, its title, the place for what goes wrong. */
const top = (lesson: Lesson): string => `
      <div class="intro">
        <p class="small soft"><a href="../index.html">Learn</a> · ${LESSONS.indexOf(lesson) + 1} of ${LESSONS.length}</p>
        <h1>${lesson.title}</h1>
      </div>
      <div class="problem" id="problem" role="alert"></div>
      <article class="lesson">`;

/** What every lesson ends with: the code that runs in it, and the lessons beside it. */
function end(lesson: Lesson, code: string): string {
  const at = LESSONS.indexOf(lesson);
  const [before, after] = [LESSONS[at - 1], LESSONS[at + 1]];
  return `
        <section class="code">
          <h2>The code that made it</h2>
          <p>This is the file that runs on this page: <code>examples/learn/${lesson.folder}/compute.ts</code>.</p>
          <pre class="sample" tabindex="0" role="region" aria-label="Source code"><code>${escaped(code)}</code></pre>
        </section>
      </article>
      <nav class="pager" aria-label="Lessons">
        ${before ? link(before, 'prev', 'Before') : '<span></span>'}
        ${after ? link(after, 'next', 'Next') : '<a href="../index.html"><span class="soft small">Done</span>All lessons</a>'}
      </nav>
    `;
}

/**
 * Puts around a lesson what all of them share. Its `index.html` says what is its own in `main`; `page.ts` beside it starts the figures, once the
 * page was painted; `compute.ts` is what they compute with, and is shown as it is.
 */
export const lessons = (): Plugin => ({
  name: 'lessons',
  transformIndexHtml: {
    order: 'pre',
    async handler(html, { filename }) {
      const own = relative(LEARN, dirname(filename));
      if (own === '') return html.replace('<!-- lessons -->', list);
      const lesson = LESSONS.find(({ folder }) => folder === own);
      if (!lesson) return html;
      // As a reader would write it, who has the package.
      const code = (await readFile(resolve(LEARN, own, 'compute.ts'), 'utf8')).replaceAll(
        '../../../src/index.ts',
        'tilewright',
      );
      return html
        .replace('</head>', () => `  <link rel="stylesheet" href="../shared/learn.css">\n  </head>`)
        .replace('<main id="content">', (main) => main + top(lesson))
        .replace('</main>', (main) => end(lesson, code) + main)
        .replace('</body>', () => `  ${START}\n  </body>`);
    },
  },
});

const START = `<script type="module">
      import { lesson } from '../shared/lesson.ts';
      lesson(() => import('./page.ts'));
    </script>`;
