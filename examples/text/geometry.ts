export type Point = readonly [x: number, y: number];

/** Corners in the order of reading: where the text begins at its top, the end of that edge, below it, below the first. */
export type Quad = readonly [Point, Point, Point, Point];

/** A rectangle at any angle. Its lower side lies at a quarter turn clockwise of `along` (y points down). */
export interface Rectangle {
  readonly center: Point;
  /** The direction of its width, of length 1. */
  readonly along: Point;
  readonly width: number;
  readonly height: number;
}

/** The convex hull, in turn: Andrew's monotone chain (1979). Points on an edge are left out. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const chain = (list: readonly Point[]): Point[] => {
    const hull: Point[] = [];
    for (const point of list) {
      while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
      hull.push(point);
    }
    return hull.slice(0, -1); // the last begins the other chain
  };
  const hull = [...chain(sorted), ...chain(sorted.reverse())];
  return hull.length ? hull : sorted.slice(0, 1);
}

/** Twice the area of the triangle; its sign says which way it turns. */
const turn = ([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number =>
  (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);

/**
 * The rectangle of the least area around points: one of its sides lies on an edge of their hull (Freeman and Shapira
 * 1975). `along` is that of its axes which is nearer to the horizontal, pointing right.
 */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  let best: Rectangle | undefined;
  hull.forEach((from, i) => {
    const to = hull[(i + 1) % hull.length]!;
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    const edge: Point = length ? [(to[0] - from[0]) / length, (to[1] - from[1]) / length] : [1, 0];
    const found = around(hull, level(edge));
    if (!best || found.width * found.height < best.width * best.height) best = found;
  });
  return best ?? { center: [0, 0], along: [1, 0], width: 0, height: 0 };
}

/** Of the four directions at right angles to each other the one that points most to the right. */
const level = ([x, y]: Point): Point => {
  const [wide, tall]: Point = Math.abs(x) >= Math.abs(y) ? [x, y] : [-y, x];
  return wide < 0 ? [-wide, -tall] : [wide, tall];
};

/** The rectangle with this direction around points. */
function around(points: readonly Point[], along: Point): Rectangle {
  const [c, s] = along;
  const us = points.map(([x, y]) => c * x + s * y);
  const vs = points.map(([x, y]) => c * y - s * x);
  const [left, right, top, bottom] = [Math.min(...us), Math.max(...us), Math.min(...vs), Math.max(...vs)];
  const [u, v] = [(left + right) / 2, (top + bottom) / 2];
  return { center: [c * u - s * v, s * u + c * v], along, width: right - left, height: bottom - top };
}

/** The rectangle with `by` more on every side. */
export const grown = (rectangle: Rectangle, by: number): Rectangle => ({
  ...rectangle,
  width: rectangle.width + 2 * by,
  height: rectangle.height + 2 * by,
});

export function cornersOf({ center: [x, y], along: [c, s], width, height }: Rectangle): Quad {
  const corner = (u: number, v: number): Point => [x + (c * u - s * v) / 2, y + (s * u + c * v) / 2];
  return [corner(-width, -height), corner(width, -height), corner(width, height), corner(-width, height)];
}

export const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(bx - ax, by - ay);

/** Width and height of what stands in a quadrilateral, as it is read. */
export const sizeOf = ([begin, end, , below]: Quad): [width: number, height: number] => [
  distance(begin, end),
  distance(begin, below),
];

/** The same corners, read from the one `by` places on. */
export const turned = (quad: Quad, by: number): Quad => quad.map((_, i) => quad[(i + by) % 4]!) as unknown as Quad;
