import { TilewrightError } from '../errors.ts';
import { checkFields, either, integer, list, oneOf, refuse, text } from '../options.ts';
import type { Body } from './request.ts';

/** What of an `Embedder` answers. */
export interface Embedding {
  /** Vectors of texts. */
  embed(
    texts: readonly string[],
    options?: { dimensions?: number; signal?: AbortSignal },
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number }>;
}

/** Vectors, as clients take them. */
export interface CreateEmbeddingResponse {
  readonly object: 'list';
  readonly model: string;
  readonly data: readonly {
    readonly object: 'embedding';
    readonly index: number;
    /** Numbers, or where the request says `base64` their float32, little-endian. */
    readonly embedding: readonly number[] | string;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

const FIELDS = {
  model: text,
  input: either(text, list(text)),
  dimensions: integer(1),
  encoding_format: oneOf('float', 'base64'),
};

/** Answers a request for vectors. Errors: `invalid-argument` for what is not done here, by its name; those of `Embedder.embed`. */
export async function embeddings(
  model: Embedding,
  name: string,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<CreateEmbeddingResponse> {
  const { user: _, ...fields } = body; // says who asks
  checkFields('embeddings', fields, FIELDS, { code: 'invalid-argument' });
  const unknown = Object.keys(fields).find((field) => !Object.hasOwn(FIELDS, field));
  if (unknown) throw new TilewrightError('invalid-argument', `embeddings: ${unknown} is not known here`);
  const {
    input,
    dimensions,
    encoding_format: format,
  } = fields as { input?: string | string[]; [name: string]: unknown };
  if (input === undefined) refuse('invalid-argument', 'embeddings', 'input', FIELDS.input[0], input);
  const asked = typeof dimensions === 'number' && { dimensions };
  const { vectors, tokens } = await model.embed([input].flat(), { ...asked, ...(signal && { signal }) });
  const data = vectors.map((vector, index) => ({
    object: 'embedding' as const,
    index,
    embedding: format === 'base64' ? base64(vector) : Array.from(vector),
  }));
  return { object: 'list', model: name, data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function base64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length));
  vector.forEach((x, i) => {
    view.setFloat32(4 * i, x, true);
  });
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
