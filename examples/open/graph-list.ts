import type { GraphNode, GraphValue } from '../../src/index.ts';
import { partsOf } from '../../src/profile/names.ts';
import { make } from '../shared/dom.ts';
import { whole } from '../shared/format.ts';

/** A node of the list: what is not known yet of its values has no dims. */
export interface ListedNode extends GraphNode {
  /** Not computed here. */
  readonly wrong?: boolean;
}

/** Nodes in a row whose names begin alike. */
interface Group {
  readonly name: string;
  readonly nodes: ListedNode[];
}

/** Rows that a filter shows. */
const MOST_ROWS = 500;
/** Fewer nodes than this are shown as they are. */
const FEW = 8;

const formatDims = ({ type, dims }: GraphValue): string =>
  dims ? `[${dims.map((size) => (size === '' ? '?' : size))}]` : type.startsWith('sequence') ? type : '';

const shapesOf = ({ inputs, outputs }: ListedNode): string => {
  const [from, to] = [inputs, outputs].map((values) => values.map(formatDims).filter(Boolean).join(' '));
  return from || to ? `${from} → ${to}` : '';
};

function row(node: ListedNode): HTMLElement {
  const { op, label, wrong } = node;
  const told = wrong ? [make('span', { class: 'not' }, 'not computed here')] : [];
  return make(
    'li',
    { class: 'node' },
    make('code', { class: wrong ? 'op wrong' : 'op' }, op),
    make('span', { class: 'name' }, label, ...told),
    make('span', { class: 'shapes' }, shapesOf(node)),
  );
}

/** Nodes with the same part at this place of their names, one after the other. */
function grouped(nodes: readonly ListedNode[], depth: number): Group[] {
  const groups: Group[] = [];
  for (const node of nodes) {
    const parts = partsOf(node.label);
    const name = depth < parts.length - 1 ? parts[depth]! : '';
    const last = groups.at(-1);
    if (last && last.name === name) last.nodes.push(node);
    else groups.push({ name, nodes: [node] });
  }
  return groups;
}

/** A level of the list. What is inside of a group is made when it is opened. */
function level(nodes: readonly ListedNode[], depth = 0): HTMLElement {
  const groups = nodes.length > FEW ? grouped(nodes, depth) : [{ name: '', nodes: [...nodes] }];
  const [only] = groups;
  if (groups.length === 1 && only!.name) return level(nodes, depth + 1);
  return make(
    'ul',
    {},
    ...groups.flatMap(({ name, nodes: own }) => {
      if (!name || own.length === 1) return own.map(row);
      const ops = new Set(own.map(({ op }) => op));
      const summary = make(
        'summary',
        {},
        make('strong', {}, name),
        make(
          'span',
          { class: 'soft' },
          `${whole(own.length)} nodes: ${[...ops].slice(0, 4).join(', ')}${ops.size > 4 ? ', …' : ''}`,
        ),
      );
      const group = make('details', {}, summary);
      group.addEventListener('toggle', () => {
        if (group.open && group.childElementCount === 1) group.append(level(own, depth + 1));
      });
      return [make('li', {}, group)];
    }),
  );
}

/** The nodes of a graph, by the beginnings of their names; those that a text is in, one after the other. */
export class GraphList {
  #nodes: readonly ListedNode[] = [];

  constructor(
    private readonly element: HTMLElement,
    private readonly count: HTMLElement,
    private readonly filter: HTMLInputElement,
  ) {
    filter.addEventListener('input', () => this.#show());
  }

  show(nodes: readonly ListedNode[]): void {
    this.#nodes = nodes;
    this.#show();
  }

  #show(): void {
    const text = this.filter.value.trim().toLowerCase();
    if (!text) {
      this.count.textContent = `${whole(this.#nodes.length)} nodes`;
      this.element.replaceChildren(level(this.#nodes));
      return;
    }
    const found = this.#nodes.filter((node) =>
      `${node.op} ${node.label} ${shapesOf(node)}`.toLowerCase().includes(text),
    );
    this.count.textContent = `${whole(found.length)} of ${whole(this.#nodes.length)} nodes`;
    const more =
      found.length > MOST_ROWS
        ? [make('li', { class: 'soft small' }, `and ${whole(found.length - MOST_ROWS)} more`)]
        : [];
    this.element.replaceChildren(make('ul', {}, ...found.slice(0, MOST_ROWS).map(row), ...more));
  }
}
