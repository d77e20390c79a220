import type { ModelSummary, Profile } from '../../../src/index.ts';
import look from '../style.css?raw';
import { esc } from './html.ts';
import { enhance } from './interact.ts';
import own from './profile.css?raw';
import { views } from './views.ts';

/** A profile, and what its model is. */
export interface Reported {
  readonly profile: Profile;
  readonly summary?: ModelSummary | undefined;
}

/** A report as one HTML file: nothing is fetched, no data leaves it. The look and the views are those of the page Profile. */
export function profileDocument(title: string, reports: readonly Reported[]): string {
  const parts = reports.map(({ profile, summary }) => views(profile, summary));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${esc(title)} · Tilewright</title>
<style>${look}${own}</style>
</head>
<body>
<main id="content">
<div class="intro"><h1>${esc(title)}</h1><p class="lead">What each layer of a model costs, as Tilewright measured it.</p></div>
${parts.join('\n')}
</main>
<script>(${enhance})(document);</script>
</body>
</html>
`;
}
