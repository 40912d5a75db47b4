package sim

import (
	"math"
	"time"
)

// Burning properties, of cotton and mixed textiles where the fuel matters.
// Order of magnitude from the SFPE Handbook's tables of yields; cited from
// memory, enough for a simulator, not for a design.
const (
	heatOfCombustion = 16.0 // kJ/g, effective
	radiativeShare   = 0.35 // of the heat release, lost to the gas

	sootFlaming, sootSmoulder = 0.02, 0.10 // g soot (smoke) per g burnt
	coFlaming, coSmoulder     = 0.01, 0.15 // g CO per g burnt

	// Mass specific extinction of smoke, m²/g: Seader and Einhorn 1977, 7.6 for
	// flaming and 4.4 for pyrolysis smoke.
	extinctionFlaming, extinctionSmoulder = 7.6, 4.4

	burnoutDecay = 90 * time.Second // time constant of the heat release after burn-out
)

// burning is what a fire does at one moment.
type burning struct {
	heat     float64 // kW
	flaming  float64 // g/s
	smoulder float64 // g/s
}

// at returns what f does at time t. Pyrolysis grows linearly from At over
// Smoulder, and gives smoke and CO but no heat that reaches the ceiling: its
// plume is too weak. Then flames grow as a t² fire, Q = Growth·t² (NFPA 72,
// annex on fire growth: slow 0.0029, medium 0.0117, fast 0.047, ultra-fast
// 0.188 kW/s²) up to Peak, and decay after Burn.
func (f Fire) at(t time.Duration) burning {
	if t < f.At {
		return burning{}
	}
	age := t - f.At
	if age < f.Smoulder {
		return burning{smoulder: f.Pyrolysis * age.Seconds() / f.Smoulder.Seconds()}
	}
	flames := age - f.Smoulder
	grown := min(flames, f.Burn).Seconds()
	heat := min(f.Growth*grown*grown, f.Peak)
	left := 1.0
	if flames > f.Burn {
		left = math.Exp(-float64(flames-f.Burn) / float64(burnoutDecay))
	}
	return burning{heat: heat * left, flaming: heat * left / heatOfCombustion, smoulder: f.Pyrolysis * left}
}

// ceilingJet returns the excess temperature in K under a ceiling h metres above
// a fire of q kW, r metres from its axis: Alpert 1972,
//
//	ΔT = 16.9 q^(2/3) / h^(5/3)    r/h ≤ 0.18
//	ΔT = 5.38 (q/r)^(2/3) / h      r/h > 0.18
//
// steady and without a hot layer. The jet is taken to arrive at once.
func ceilingJet(q, r, h float64) float64 {
	if r <= 0.18*h {
		return 16.9 * math.Pow(q, 2.0/3) / math.Pow(h, 5.0/3)
	}
	return 5.38 * math.Pow(q/r, 2.0/3) / h
}

// source is what b adds to a layer of v m³ in a second.
func (b burning) source(v float64) mix {
	extinction := extinctionFlaming*sootFlaming*b.flaming + extinctionSmoulder*sootSmoulder*b.smoulder // m²/s
	co := coFlaming*b.flaming + coSmoulder*b.smoulder                                                  // g/s
	return mix{
		heat:  (1 - radiativeShare) * b.heat / (airHeatCapacity * v),
		smoke: extinction / (math.Ln10 * v), // optical density is base 10: extinction / ln 10
		co:    co * 1e3 / v * ppmPerMilligram,
	}
}
