package safety

import "testing"

func TestCapacity(t *testing.T) {
	for _, c := range []struct {
		zone   Zone
		limit  int
		posted bool
	}{
		{Zone{Area: 95, Height: 3}, 30, false},
		{Zone{Area: 95, Height: 9}, 42, false}, // 4.25 m of it count
		{Zone{Area: 95, Height: 3, PostedMaximum: 20}, 20, true},
		{Zone{Area: 95, Height: 3, PostedMaximum: 20, Exempt: true}, 0, false},
		{Zone{}, 0, false},
	} {
		if limit, posted := c.zone.Capacity(); limit != c.limit || posted != c.posted {
			t.Errorf("%+v: %d, %v, want %d, %v", c.zone, limit, posted, c.limit, c.posted)
		}
	}
}
