import { noWebGpu, showAdapter } from '../shared/adapter.ts';
import { byId } from '../shared/dom.ts';

const availability = await showAdapter();
if (!availability.available) byId('problem', HTMLElement).replaceChildren(noWebGpu(availability));
