package comfort

import "math"

// saturation is the saturation vapour pressure over water, kPa (ISO 7933).
func saturation(air float64) float64 { return 0.6105 * math.Exp(17.27*air/(air+237.3)) }

// psychrometer is the constant of an aspirated psychrometer at sea level, kPa/K
// (0.000662 /K at 101.325 kPa, recalled). Higher up it is smaller and the wet bulb cooler
// by less than 0.1 K up to 300 m.
const psychrometer = 0.000662 * 101.325

// WetBulb is the psychrometric wet-bulb temperature, °C: where the vapour that
// evaporates takes the heat that the air brings. By Newton's way from the air
// down: the curve is convex, so each step stays above.
func WetBulb(air, humidity float64) float64 {
	vapour := saturation(air) * max(0, min(humidity, 100)) / 100
	t := air
	for range 20 {
		over, slope := saturation(t), 17.27*237.3/((t+237.3)*(t+237.3))
		step := (over - psychrometer*(air-t) - vapour) / (over*slope + psychrometer)
		t -= step
		if math.Abs(step) < 1e-9 {
			break
		}
	}
	return t
}

// NaturalWetBulb bounds the temperature of a wet bulb that nobody fans, °C, from
// the psychrometric one, air and globe, whatever the air speed. Bernard and
// Pourmoghani (1999), recalled: up to 4 K of radiant heat it is C of the way from air to the
// psychrometric wet bulb, with C from 0.85 in still air to 1; above, it is the
// latter and a quarter of the radiant heat, and from -0.1 K to 1.1 K in still air.
func NaturalWetBulb(air, wetBulb, globe float64) (low, high float64) {
	if excess := globe - air; excess > 4 {
		return wetBulb + 0.25*excess - 0.1, wetBulb + 0.25*excess + 1.1
	}
	return wetBulb, air - 0.85*(air-wetBulb)
}

// WBGTBounds is what air, humidity and a globe say of the WBGT indoors, °C. Without
// a globe (NaN) there is no upper bound: radiant heat may be any. Then surfaces
// no colder than the air are assumed for the lower one.
func WBGTBounds(air, humidity, globe float64) (low, high float64) {
	wet := WetBulb(air, humidity)
	if math.IsNaN(globe) {
		return WBGT(wet, air), math.Inf(1)
	}
	low, high = NaturalWetBulb(air, wet, globe)
	return WBGT(low, globe), WBGT(high, globe)
}
