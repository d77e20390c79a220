/** Gives the engine a disk, as Node has one: models are loaded from paths, what was fetched and what the tuner found outlive the process. */
import { diskStore } from './hub/cache/disk.ts';
import { disk as caches } from './hub/cache/open.ts';
import { disk as folders } from './hub/folder.ts';
import { openPath } from './hub/path.ts';
import { fileStore } from './tune/file-store.ts';
import { disk as stores } from './tune/store.ts';

folders.open = openPath;
caches.store = diskStore;
stores.store = fileStore;
