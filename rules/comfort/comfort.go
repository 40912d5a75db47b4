// Package comfort is the arithmetic of heat: what air, radiation, humidity and
// wind together do to people. Functions are pure; temperatures are in °C, relative
// humidity in %, wind in m/s, radiant temperature is the mean radiant one.
//
// None of it is a measurement on a person. Without a globe thermometer, air and
// humidity alone bound WBGT from below only: see WBGTBounds.
package comfort

import "math"

// Conditions are the surroundings of a person.
type Conditions struct {
	Air      float64 // °C
	Radiant  float64 // °C
	Humidity float64 // %
	Wind     float64 // m/s
}

func within(x, low, high float64) bool { return x >= low && x <= high }

// HeatIndex is the heat index of the US weather service, °C: the regression of
// Rothfusz (1990), as it stands also where it is not fitted (below 27 °C or 40 %RH).
func HeatIndex(air, humidity float64) float64 {
	t, h := air, humidity
	return -8.784695 + 1.61139411*t + 2.338549*h - 0.14611605*t*h - 1.2308094e-2*t*t -
		1.6424828e-2*h*h + 2.211732e-3*t*t*h + 7.2546e-4*t*h*h - 3.582e-6*t*t*h*h
}

// Humidex is Canada's index of humid heat, a temperature without a unit, with the
// vapour pressure by Magnus as Rana et al. (2013) give it.
func Humidex(air, humidity float64) float64 {
	vapour := 6.112 * math.Pow(10, 7.5*air/(237.7+air)) * humidity / 100 // hPa
	return air + 5./9*(vapour-10)
}

// DiscomfortIndex is Thom's index, °C, from air and humidity.
func DiscomfortIndex(air, humidity float64) float64 {
	return air - 0.55*(1-0.01*humidity)*(air-14.5)
}

// WBGT is the wet-bulb globe temperature indoors, °C, from a natural wet bulb and
// a globe (ISO 7243; Parsons 2006, eq. 1).
func WBGT(wetBulb, globe float64) float64 { return 0.7*wetBulb + 0.3*globe }

// WBGTInSun is the wet-bulb globe temperature under the sun, °C (ISO 7243, recalled).
func WBGTInSun(wetBulb, globe, air float64) float64 { return 0.7*wetBulb + 0.2*globe + 0.1*air }
