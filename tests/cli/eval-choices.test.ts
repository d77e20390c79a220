import { describe, expect, it } from 'vitest';
import { readQuestions } from '../../src/cli/commands/eval.ts';
import { continuation } from '../../src/cli/jobs/eval-choices.ts';

describe('questions of a file', () => {
  const one = { prompt: 'a', choices: ['b', 'c'], answer: 1 };

  it('are a list of prompts, choices and answers', () => {
    expect(readQuestions('q.json', JSON.stringify([one, { ...one, prompt: '', answer: 0 }]))).toHaveLength(2);
  });

  it.each([
    ['{', /^q\.json: is no JSON/],
    ['{}', /no list of questions/],
    ['[]', /no list of questions/],
    ['["a"]', /no list of questions/],
    [JSON.stringify([one, { ...one, answer: 2 }]), /question 1: answer: expected a number below 2, got 2/],
    [JSON.stringify([{ ...one, answer: '1' }]), /question 0: answer/],
    [JSON.stringify([{ ...one, choices: ['b'] }]), /question 0: choices: expected a list of two texts or more/],
    [JSON.stringify([{ ...one, choices: ['b', ''] }]), /question 0: choices/],
    [JSON.stringify([{ choices: ['b', 'c'], answer: 0 }]), /question 0: prompt/],
    [JSON.stringify([{ ...one, label: 1 }]), /question 0: label is not known/],
  ])('%s is refused by name', (json, message) => {
    expect(() => readQuestions('q.json', json)).toThrow(
      expect.objectContaining({ code: 'invalid-file', message: expect.stringMatching(message) }),
    );
  });
});

describe('the tokens of a choice', () => {
  /** A token a letter; "ab" is one of its own. */
  const encode = (text: string): number[] =>
    Array.from(text.match(/ab|./g) ?? [], (part) => part.charCodeAt(0) + 1000 * (part.length - 1));

  it('begin where they are no longer the prompt alone', () => {
    expect(continuation({ encode, bosTokenId: undefined }, 'xy', 'zz')).toEqual({ ids: [120, 121, 122, 122], from: 2 });
    // The seam is one token: it is scored as a part of the choice.
    expect(continuation({ encode, bosTokenId: undefined }, 'xa', 'b')).toEqual({ ids: [120, 1097], from: 1 });
  });

  it('follow the first token of all texts where there is no prompt', () => {
    expect(continuation({ encode, bosTokenId: 1 }, '', 'xy')).toEqual({ ids: [1, 120, 121], from: 1 });
    expect(() => continuation({ encode, bosTokenId: undefined }, '', 'xy')).toThrow(/a prompt is empty/);
  });
});
