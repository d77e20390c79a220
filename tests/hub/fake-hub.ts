/** A hub that is a function in the place of `fetch`: it works in a page as in Node. */
export interface FakeHub {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** By path under the base. Another from the next request on. */
  readonly files: Map<string, { data: Uint8Array<ArrayBuffer>; etag: string | undefined }>;
  /** `PATH range` of every request. */
  readonly requests: string[];
  /** Bytes of bodies that were read. */
  sent: number;
  offline: boolean;
  ranges: boolean;
  /** Bytes of bodies after which every connection breaks. */
  cutAt: number;
  readonly headers: Record<string, string>;
}

export const BASE = 'https://hub.test';

export function fakeHub(): FakeHub {
  const hub: FakeHub = {
    files: new Map(),
    requests: [],
    sent: 0,
    offline: false,
    ranges: true,
    cutAt: Number.POSITIVE_INFINITY,
    headers: {},
    async fetch(url, { headers: given, signal }) {
      const headers = new Headers(given);
      const range = headers.get('range');
      const path = decodeURIComponent(url.slice(BASE.length + 1));
      hub.requests.push([path, range, headers.get('if-none-match') && 'if-none-match'].filter(Boolean).join(' '));
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (hub.offline) throw new TypeError('Failed to fetch');
      const file = hub.files.get(path);
      if (!file) return new Response('Entry not found', { status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
      const { data, etag } = file;
      const version: Record<string, string> = etag ? { etag } : {};
      if (etag && headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: version });
      const match = hub.ranges ? /^bytes=(\d+)-(\d+)$/.exec(range ?? '') : null;
      const [start, end] = match ? [Number(match[1]), Math.min(Number(match[2]) + 1, data.length)] : [0, data.length];
      const answer = {
        ...version,
        ...hub.headers,
        'content-length': `${end - start}`,
        ...(match && { 'content-range': `bytes ${start}-${end - 1}/${data.length}` }),
      };
      return new Response(bodyOf(data.subarray(start, end), signal), { status: match ? 206 : 200, headers: answer });
    },
  };

  function bodyOf(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal | null): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream(
      {
        pull(controller) {
          if (signal?.aborted) return controller.error(signal.reason);
          if (hub.sent >= hub.cutAt) return controller.error(new TypeError('network error'));
          const piece = bytes.slice(at, at + 65_536);
          at += piece.length;
          hub.sent += piece.length;
          if (piece.length) controller.enqueue(piece);
          if (at === bytes.length) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }
  return hub;
}
