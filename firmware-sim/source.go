package sim

import (
	"math"
	"time"
)

// Source is what ordinary work gives off into a zone while it lasts: exhaust,
// steam, fog, fume, vapour, dust. All rates are per second.
type Source struct {
	Zone     string        `yaml:"zone"`
	At       time.Duration `yaml:"at"`
	For      time.Duration `yaml:"for"`               // 0 = it goes on
	Heat     float64       `yaml:"heat_kw"`           // convective, in a plume
	Smoke    float64       `yaml:"smoke_m2_per_s"`    // extinction area of what stays in the air: soot, oil fog, fume, dust
	Mist     float64       `yaml:"mist_m2_per_s"`     // the same of water droplets
	Steam    float64       `yaml:"steam_g_per_s"`     // water vapour
	CO       float64       `yaml:"co_mg_per_s"`       //
	Hydrogen float64       `yaml:"hydrogen_ml_per_s"` // at room temperature
	VOC      float64       `yaml:"voc_mg_per_s"`      // as isobutylene
}

const ppmPerMilligramVOC = 24.45 / 56.11 // isobutylene at 25 °C: mg/m³ → ppm

func (s Source) on(t time.Duration) bool { return t >= s.At && !s.over(t) }

func (s Source) over(t time.Duration) bool { return s.For > 0 && t >= s.At+s.For }

// gives is what s adds to a layer of v m³ in a second.
func (s Source) gives(v float64) mix {
	return mix{
		heat:     s.Heat / (airHeatCapacity * v),
		smoke:    s.Smoke / (math.Ln10 * v),
		mist:     s.Mist / (math.Ln10 * v),
		vapour:   s.Steam / v,
		co:       s.CO / v * ppmPerMilligram,
		hydrogen: s.Hydrogen / v, // ml in m³ are ppm
		voc:      s.VOC / v * ppmPerMilligramVOC,
	}
}
