package scd41

import (
	"fmt"

	"nirapod/safety"
)

// UsualHeat is by how many K the part warms itself, as the maker ships it.
const UsualHeat = 4.0

// Settings are what the part has to know of its place.
type Settings struct {
	Altitude        uint16  // m above the sea, 0 to 3000; when the pressure is not given
	Pressure        uint16  // hPa, 700 to 1200; 0 = by altitude
	SelfHeating     float64 // K, 0 to 20, taken off the temperature; it does not touch CO2
	SelfCalibration bool    // takes the week's lowest for fresh air
}

// Validate returns an error wrapping safety.ErrInvalid when the part would not
// take the settings.
func (s Settings) Validate() error {
	switch {
	case s.Altitude > 3000:
		return fmt.Errorf("altitude %d m: want 0 to 3000: %w", s.Altitude, safety.ErrInvalid)
	case s.Pressure != 0 && (s.Pressure < 700 || s.Pressure > 1200):
		return fmt.Errorf("pressure %d hPa: want 700 to 1200: %w", s.Pressure, safety.ErrInvalid)
	case s.Pressure != 0 && s.Altitude != 0:
		return fmt.Errorf("altitude and pressure: want one of them, the pressure goes before it: %w", safety.ErrInvalid)
	case !(s.SelfHeating >= 0 && s.SelfHeating <= 20):
		return fmt.Errorf("self-heating %g K: want 0 to 20: %w", s.SelfHeating, safety.ErrInvalid)
	}
	return nil
}

type setting struct{ code, value uint16 }

// commands are what is sent to a part at rest. Self-calibration is always
// sent: a part may come with it on.
func (s Settings) commands() []setting {
	out := []setting{{cmdOffset, offsetWord(s.SelfHeating)}, {cmdAltitude, s.Altitude}}
	if s.Pressure != 0 {
		out = append(out, setting{cmdPressure, s.Pressure})
	}
	on := uint16(0)
	if s.SelfCalibration {
		on = 1
	}
	return append(out, setting{cmdSelfCalibration, on})
}
