package safety

// Detection returns the quantities by which a kind of required detection is
// done: smoke, heat, gas, or a quantity by its name. nil: the kind is not known.
func Detection(kind string) []Quantity {
	switch kind {
	case "smoke":
		return []Quantity{Smoke, SmokeOD}
	case "heat":
		return []Quantity{Temperature}
	case "gas":
		return []Quantity{LEL}
	}
	if q := Quantity(kind); q.Validate() == nil {
		return []Quantity{q}
	}
	return nil
}
