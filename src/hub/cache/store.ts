import type { ByteSource } from '../source.ts';

/**
 * Folders of files that outlive the page or the process. A file is there whole, or it is not there: what is being written
 * while the page ends is not. Errors are those of the platform.
 */
export interface Store {
  /** Where it lies, for people. */
  readonly place: string;
  /** The names of all folders. */
  folders(): Promise<string[]>;
  /** The names of the files of a folder; none where there is no such folder. */
  files(folder: string): Promise<string[]>;
  /** A file; undefined where it is not there. */
  open(folder: string, file: string): Promise<ByteSource | undefined>;
  /** Writes a file that is there at once when it is complete, in the place of one of this name. */
  write(folder: string, file: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file or, without its name, a folder. Nothing happens where it is not there. */
  remove(folder: string, file?: string): Promise<void>;
  /**
   * The right to write to a folder, until what it gives is called. Undefined: another load has it. Where the platform has no
   * locks, all have the right: they write the same.
   */
  lock(folder: string): Promise<(() => void) | undefined>;
}
