import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Program } from '../gpu/pipelines.ts';
import { USAGE } from '../gpu/usage.ts';
import { writeParams } from '../gpu/wgsl.ts';
import type { Candidate } from '../ops/define.ts';
import { pictureCandidates } from '../ops/picture.ts';
import { Resource } from '../runtime/resource.ts';
import type { DeviceInput } from '../runtime/session.ts';
import type { TensorDescriptor } from '../tensor/types.ts';
import { unreadable } from './decode.ts';
import { checkedSize, crossings, type Preprocessing } from './preprocess.ts';
import { reach, type Tap } from './resample.ts';
import { type DevicePicture, isPlain, type Surface, surfaceOf } from './surface.ts';

/** Sizes of pictures whose weights are kept. */
const MOST_SIZES = 4;

/** Bytes from the uniform of the first dispatch to that of the second: what WebGPU aligns to. */
const SECOND = 256;

type FloatType = 'float32' | 'float16';

/** What pictures of one size take on the device. */
interface Sized {
  readonly taps: GPUBuffer;
  readonly weights: GPUBuffer;
  readonly lines: GPUBuffer;
  readonly uniforms: GPUBuffer;
}

/**
 * Preprocessing on the device, equal to the host's (`preprocess`) within 1/255 of what a byte spans: two dispatches before
 * the model's, in the same submit. The weights of the resize are the host's, kept for the last few sizes.
 */
export class PictureStage extends Resource {
  protected readonly title = 'the preprocessing';
  /** By size, row and type; the one used last comes last. */
  readonly #sizes = new Map<string, Sized>();
  #external: Promise<boolean> | undefined;

  /** `room`: bytes that it may take. */
  constructor(
    readonly gpu: Gpu,
    readonly preprocessing: Preprocessing,
    private readonly room: () => number,
  ) {
    super();
    checkedSize(preprocessing);
  }

  get bytes(): number {
    return [...this.#sizes.values()]
      .flatMap((sized) => Object.values(sized) as GPUBuffer[])
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** Whether the device reads this picture itself. Frames it may not, or not as the host does: the host takes those. */
  async takes(source: DevicePicture): Promise<boolean> {
    if (!('displayWidth' in source || 'videoWidth' in source)) return true;
    this.#external ??= this.#importsFrames();
    if (!(await this.#external)) return false;
    if ('displayWidth' in source) return isPlain(source);
    try {
      const frame = new VideoFrame(source);
      frame.close();
      return isPlain(frame);
    } catch {
      return false; // the host tells why
    }
  }

  /** Whether frames of videos can be textures here: Firefox lacks it in places. */
  async #importsFrames(): Promise<boolean> {
    const { device, pipelines } = this.gpu;
    if (typeof VideoFrame === 'undefined' || typeof device.importExternalTexture !== 'function') return false;
    const [{ variant, label }] = pictureCandidates('external', 'float32', NO_WORK);
    let pixel: VideoFrame | undefined;
    try {
      const source = new VideoFrame(new Uint8Array(4), { format: 'RGBA', codedWidth: 1, codedHeight: 1, timestamp: 0 });
      pixel = source;
      const [, valid] = this.gpu.scoped('a frame', () => device.importExternalTexture({ source }));
      await Promise.all([valid, pipelines.get(variant, label)]);
      return true;
    } catch (error) {
      this.gpu.check();
      if (error instanceof TilewrightError && error.code === 'device-lost') throw error;
      return false;
    } finally {
      pixel?.close();
    }
  }

  /**
   * Works with a picture as an input of a run. A frame of a video is taken at once. Errors: `invalid-argument` for a
   * texture or a buffer that cannot be bound, `invalid-image` for one that is destroyed or of another device, and for a
   * frame that is closed or may not be read; `limit-exceeded`.
   */
  async use<T>(
    source: DevicePicture,
    { dataType }: Pick<TensorDescriptor, 'dataType'>,
    work: (input: DeviceInput) => Promise<T>,
  ): Promise<T> {
    const frame = 'videoWidth' in source ? frameOf(source) : undefined;
    try {
      const input = await this.#input(surfaceOf(this.gpu, frame ?? (source as VideoFrame)), dataType as FloatType);
      try {
        return await work(input);
      } catch (error) {
        const { code } = error as Partial<TilewrightError>;
        if (code === 'out-of-memory') this.release();
        throw code === 'gpu-validation' ? await this.#blamed(input, error) : error;
      }
    } finally {
      frame?.close();
    }
  }

  async #input(surface: Surface, dataType: FloatType): Promise<DeviceInput> {
    const { gpu } = this;
    const { width, height, stride, form } = surface;
    const { size, mean, std } = this.preprocessing;
    const { rows, columns } = crossings(surface, this.preprocessing);
    const [first, end] = reach(rows);
    const work = { size, rows: { first, count: Math.max(1, end - first) }, stride, mean, std };
    const candidates = pictureCandidates(form, dataType, work);
    const get = ({ variant, label }: Candidate) => gpu.pipelines.get(variant, label);
    const programs = await gpu.guard(Promise.all(candidates.map(get)), this.alive);
    const encode = (encoder: GPUCommandEncoder, output: GPUBuffer): void => {
      this.alive();
      const key = `${width}x${height} ${stride} ${dataType}`;
      const sized =
        this.#sizes.get(key) ?? this.#make([...columns, ...rows], 12 * work.rows.count * size[1], candidates, programs);
      this.#sizes.delete(key);
      this.#sizes.set(key, sized);
      const resources: Record<string, GPUBindingResource> = { picture: surface.bind(), output: { buffer: output } };
      for (const [name, buffer] of Object.entries(sized)) resources[name] = { buffer };
      const pass = encoder.beginComputePass();
      programs.forEach(({ pipeline, layout, linked }, i) => {
        resources['params'] = { buffer: sized.uniforms, offset: i * SECOND, size: linked.uniforms[0]!.layout.size };
        const entries = linked.bindings.map(({ name, binding }) => ({ binding, resource: resources[name]! }));
        const bindGroup = gpu.device.createBindGroup({ label: candidates[i]!.label, layout, entries });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...candidates[i]!.grid);
        gpu.counters.bindGroups++;
        gpu.counters.dispatches++;
      });
      pass.end();
      gpu.counters.passes++;
    };
    return { encode };
  }

  /** The buffers of a size: of the taps of its columns, then of its rows. */
  #make(all: readonly Tap[], lineBytes: number, candidates: readonly Candidate[], programs: readonly Program[]): Sized {
    const { gpu } = this;
    const weights = Float32Array.from(all.flatMap((tap) => [...tap.weights]));
    const taps = new Uint32Array(4 * all.length);
    let end = 0;
    all.forEach(({ first, weights: { length } }, i) => {
      taps.set([first, end, end + length], 4 * i);
      end += length;
    });
    const uniforms = new DataView(new ArrayBuffer(2 * SECOND));
    programs.forEach(({ linked }, i) => {
      writeParams(linked.uniforms[0]!.layout, candidates[i]!.params, uniforms, i * SECOND);
    });
    const largest = Math.max(lineBytes, weights.byteLength);
    if (largest > gpu.caps.maxBindingBytes)
      throw new TilewrightError(
        'limit-exceeded',
        `preprocessing takes ${largest} bytes for a picture of this size; a binding holds ${gpu.caps.maxBindingBytes} here`,
      );
    for (const key of [...this.#sizes.keys()].slice(0, Math.max(0, this.#sizes.size + 1 - MOST_SIZES))) this.#free(key);
    const bytes = lineBytes + weights.byteLength + taps.byteLength + uniforms.byteLength;
    if (!(bytes <= this.room()))
      throw new TilewrightError(
        'limit-exceeded',
        `preprocessing takes ${bytes} bytes of the device for a picture of this size; memory.budget leaves ${this.room()}`,
      );
    const put = (data: ArrayBufferView, usage: GPUBufferUsageFlags, name: string): GPUBuffer => {
      const buffer = gpu.createBuffer(data.byteLength, usage, `preprocessing ${name}`);
      gpu.write(buffer, 0, data);
      return buffer;
    };
    return {
      taps: put(taps, USAGE.storage, 'taps'),
      weights: put(weights, USAGE.storage, 'weights'),
      lines: gpu.createBuffer(lineBytes, USAGE.storage, 'preprocessing lines'),
      uniforms: put(uniforms, USAGE.uniform, 'uniforms'),
    };
  }

  #free(key: string): void {
    for (const buffer of Object.values(this.#sizes.get(key)!) as GPUBuffer[]) this.gpu.destroyBuffer(buffer);
    this.#sizes.delete(key);
  }

  /** The error of a run that WebGPU refused: the picture's where it is refused without the model, too. */
  async #blamed({ encode }: DeviceInput, error: unknown): Promise<unknown> {
    const [height, width] = this.preprocessing.size;
    const target = this.gpu.createBuffer(12 * height * width, USAGE.storage, 'preprocessing alone');
    try {
      await this.gpu.scoped('the picture', () => {
        const encoder = this.gpu.device.createCommandEncoder();
        encode(encoder, target);
        this.gpu.submit(encoder);
      })[1];
      return error;
    } catch (cause) {
      if ((cause as Partial<TilewrightError>).code !== 'gpu-validation') return error;
      const hint = 'It has to be on engine.device, and to stay until classify() has answered.';
      return new TilewrightError('invalid-image', 'the picture is destroyed, or of another device', { hint, cause });
    } finally {
      this.gpu.destroyBuffer(target);
    }
  }

  protected release(): void {
    for (const key of [...this.#sizes.keys()]) this.#free(key);
  }
}

const NO_WORK = { size: [1, 1], rows: { first: 0, count: 1 }, stride: 0, mean: [0], std: [1] } as const;

/** What a video shows now. Error: `invalid-image`. */
function frameOf(video: HTMLVideoElement): VideoFrame {
  try {
    return new VideoFrame(video);
  } catch (cause) {
    throw unreadable(cause);
  }
}
