import { InvalidArgumentError } from 'commander';

type Parser = (text: string) => number;

/** A number that satisfies a condition; the words say which. */
function number(words: string, holds: (value: number) => boolean): Parser {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!holds(value)) throw new InvalidArgumentError(`Expected ${words}.`);
    return value;
  };
}

export const positiveInteger = number('a whole number from 1 on', (value) => Number.isSafeInteger(value) && value >= 1);
export const wholeNumber = number('a whole number from 0 on', (value) => Number.isSafeInteger(value) && value >= 0);
export const temperature = number('a number from 0 on', (value) => value >= 0 && Number.isFinite(value));
export const probability = number('a number above 0 and up to 1', (value) => value > 0 && value <= 1);
export const fraction = number('a number from 0 up to but not 1', (value) => value >= 0 && value < 1);
export const percentage = number('a number above 0 and up to 100', (value) => value > 0 && value <= 100);
