import { TilewrightError } from '../errors.ts';
import { shown } from '../options.ts';
import type { NetworkOptions } from './policy.ts';
import type { UrlModel } from './url.ts';

const HUB = 'https://huggingface.co';

/** Where a model of a hub lies. */
export interface HubModel {
  /** The address of its folder: `{base}/{org}/{model}/resolve/{revision}/`. */
  readonly url: URL;
  readonly model: UrlModel;
  /** Says of an answer of the hub what it means and what to do; other errors as they are. */
  explain(error: unknown): unknown;
}

/** The model `org/model` or `org/model@revision`. Error: `invalid-argument`. */
export function hubModel(name: string, { base = HUB, token }: NetworkOptions = {}): HubModel {
  const [, repository = '', revision = 'main'] = /^([^@]*)(?:@(.*))?$/.exec(name)!;
  const root = URL.canParse(base) ? new URL(base) : undefined;
  const isPlain = root && /^https?:$/.test(root.protocol) && !root.username && !root.password && !root.search;
  if (!root || !isPlain)
    throw new TilewrightError(
      'invalid-argument',
      'network: base: expected an address that begins with http: or https:, without a user, a password or a query',
    );
  if (!/^\w[\w./-]*$/.test(revision))
    throw new TilewrightError(
      'invalid-argument',
      `${shown(name)}: expected the name of a branch, a tag or a commit after @, got ${shown(revision)}`,
    );
  const from = root.href.replace(/\/$/, '');
  const url = new URL(`${from}/${repository}/resolve/${encodeURIComponent(revision)}/`);
  const pinned = /^[\da-f]{40}$/.test(revision);

  function explain(error: unknown): unknown {
    if (!(error instanceof TilewrightError)) return error;
    const { status, headers } = (error.cause ?? {}) as Partial<Response>;
    const code = headers?.get('x-error-code');
    const be = (code: 'not-found' | 'access-denied', problem: string, hint: string): TilewrightError =>
      new TilewrightError(code, `${repository}: ${problem}`, { hint, cause: error });
    if (code === 'RevisionNotFound') return be('not-found', `there is no revision ${shown(revision)}`, REVISION);
    if (code === 'RepoNotFound' && (status === 404 || token !== undefined))
      return be('not-found', `${from} has no such model`, NAME);
    if (code === 'GatedRepo' || status === 403)
      return be('access-denied', `${from} gives it to those who agreed to its terms (${status})`, terms);
    if (status === 401)
      return be(
        'access-denied',
        token === undefined
          ? `${from} has no such model, or it is private (401)`
          : `${from} does not take this token (401)`,
        token === undefined ? `${NAME} ${TOKEN}` : 'Make a new token that may read the model.',
      );
    return error;
  }
  const terms = `Agree to its terms at ${from}/${repository}. ${TOKEN}`;
  return { url, model: { name: `${repository}@${revision}`, from, pinned }, explain };
}

const NAME = 'Check the name; a path on the disk or an address beside the page begins with ./ instead.';
const TOKEN = 'Of a private or gated model, load with { network: { token } } of an account that may read it.';
const REVISION = 'Give a branch, a tag or a commit of the model; without @ it is main.';
