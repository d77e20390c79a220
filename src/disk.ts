/** Gives the engine a disk, as Node has one: models are loaded from paths, and what the tuner found outlives the process. */
import { disk as folders } from './hub/folder.ts';
import { openPath } from './hub/path.ts';
import { fileStore } from './tune/file-store.ts';
import { disk as stores } from './tune/store.ts';

folders.open = openPath;
stores.store = fileStore;
