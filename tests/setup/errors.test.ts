import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';

const doc = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

it('docs/errors.md says of every code what to do, in the order of the list', () => {
  const sections = doc.split(/^## /m).slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(ERROR_CODES);
  for (const section of sections) expect(section.split('\n').slice(1).join(' ').trim().length).toBeGreaterThan(40);
});
