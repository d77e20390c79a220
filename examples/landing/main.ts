import { adapterFacts, noWebGpu, showAdapter, softwareNotice } from '../shared/adapter.ts';
import { byId } from '../shared/dom.ts';

const card = byId('card', HTMLElement);
const availability = await showAdapter();
if (availability.available) {
  card.replaceChildren(
    ...(availability.adapter.software ? [softwareNotice()] : []),
    adapterFacts(availability.adapter),
  );
} else {
  card.replaceChildren(noWebGpu(availability));
}
