package safety

// Each worker needs 9.5 m³ of room, height above 4.25 m not counted (Labour
// Act 2006 s.56(2), read in a secondary source).
const (
	spaceEach     = 9.5
	countedHeight = 4.25
)

// Capacity is how many may work in a room: the posted maximum of s.56(3), else
// what its space is for. 0 = not known, or exempt.
func (z Zone) Capacity() (limit int, posted bool) {
	switch {
	case z.Exempt:
		return 0, false
	case z.PostedMaximum > 0:
		return z.PostedMaximum, true
	}
	return int(z.Area * min(z.Height, countedHeight) / spaceEach), false
}
