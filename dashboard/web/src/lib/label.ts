import type { Point } from './types'

let ruler: CanvasRenderingContext2D | null = null

/** width of a text in bold letters of 1 px, px. */
export function width(text: string): number {
  ruler ??= document.createElement('canvas').getContext('2d')!
  ruler.font = "700 100px 'Noto Sans Bengali', system-ui, sans-serif"
  return ruler.measureText(text).width / 100
}

/** inside says whether a point lies in a polygon. */
function inside([x, y]: Point, polygon: Point[]): boolean {
  let is = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is
  }
  return is
}

const steps = 16

/**
 * spot finds the middle of a place for a label of the given size within a
 * polygon: nearest the middle of those that cover none of the marks. It is
 * undefined where the label does not fit at all.
 */
export function spot(polygon: Point[], size: Point, marks: { at: Point; r: number }[]): Point | undefined {
  const range = (axis: 0 | 1) => { const all = polygon.map((p) => p[axis]); return [Math.min(...all), Math.max(...all)] }
  const [left, right] = range(0)
  const [top, bottom] = range(1)
  const [w, h] = [size[0] / 2, size[1] / 2]
  let best: Point | undefined
  let least = Infinity
  for (let i = 1; i < steps; i++) {
    for (let j = 1; j < steps; j++) {
      const [x, y]: Point = [left + ((right - left) * i) / steps, top + ((bottom - top) * j) / steps]
      const corners: Point[] = [[x - w, y - h], [x + w, y - h], [x - w, y + h], [x + w, y + h]]
      if (!corners.every((c) => inside(c, polygon))) continue
      const hidden = marks.filter((m) => Math.abs(m.at[0] - x) < w + m.r && Math.abs(m.at[1] - y) < h + m.r).length
      const cost = hidden * 1e6 + (x - (left + right) / 2) ** 2 + 4 * (y - (top + bottom) / 2) ** 2
      if (cost < least) [best, least] = [[x, y], cost]
    }
  }
  return best
}
