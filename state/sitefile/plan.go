package sitefile

import (
	"math"

	"nirapod/safety"
)

// area is the area of a polygon (shoelace formula), m².
func area(polygon []safety.Point) float64 {
	var twice float64
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		twice += p[0]*q[1] - q[0]*p[1]
	}
	return math.Abs(twice) / 2
}

// crossing reports whether two sides of a polygon that are not neighbours
// touch each other.
func crossing(polygon []safety.Point) bool {
	n := len(polygon)
	for i := range n {
		for j := i + 2; j < n; j++ {
			if i == 0 && j == n-1 {
				continue
			}
			if touch(polygon[i], polygon[i+1], polygon[j], polygon[(j+1)%n]) {
				return true
			}
		}
	}
	return false
}

// touch reports whether the segments ab and cd have a point in common.
func touch(a, b, c, d safety.Point) bool {
	abc, abd, cda, cdb := side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
	if abc*abd < 0 && cda*cdb < 0 {
		return true
	}
	return abc == 0 && within(a, b, c) || abd == 0 && within(a, b, d) ||
		cda == 0 && within(c, d, a) || cdb == 0 && within(c, d, b)
}

// side is positive when p lies on one side of the line ab, negative on the
// other, 0 on it.
func side(a, b, p safety.Point) float64 {
	return (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0])
}

// within reports whether p lies in the box of which ab is the diagonal.
func within(a, b, p safety.Point) bool {
	return min(a[0], b[0]) <= p[0] && p[0] <= max(a[0], b[0]) && min(a[1], b[1]) <= p[1] && p[1] <= max(a[1], b[1])
}

// inside reports whether p lies in a polygon or on its edge.
func inside(polygon []safety.Point, p safety.Point) bool {
	in := false
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		if side(a, b, p) == 0 && within(a, b, p) {
			return true
		}
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}

// polygon checks a plan's shape and reports whether it encloses anything.
func (c *check) polygon(path string, p []safety.Point) bool {
	switch {
	case len(p) < 3:
		c.mistake(path, "want 3 corners or more, in metres, have %d", len(p))
	case crossing(p):
		c.mistake(path, "its sides cross or touch: list the corners in the order of a walk around it")
	case area(p) < 0.1:
		c.mistake(path, "it encloses nothing")
	default:
		return true
	}
	return false
}
