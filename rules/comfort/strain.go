package comfort

import "math"

// metUnit is one met, W/m².
const metUnit = 58.15

// Posture is how a person works: it decides how much of the skin radiates.
type Posture uint8

// The postures.
const (
	Standing Posture = iota
	Sitting
	Crouching
)

// Work is what a person does, and wears.
type Work struct {
	Metabolic    float64 // met, 58.15 W/m²
	Clothing     float64 // clo
	Posture      Posture
	Acclimatised bool
	Walking      float64 // m/s; 0 = none of its own
	Angle        float64 // between walking and wind, degrees; 0 = walking to and fro
}

// Strain is the heat strain predicted at the end of a day of 480 minutes.
type Strain struct {
	Rectal, Skin, Core, Equilibrium float64 // °C
	Weight                          float64 // of the skin in the body's mean temperature
	Sweat                           float64 // W/m²
	Loss                            float64 // of water, g
	Until38                         int     // min, until the rectal temperature is 38 °C
	UntilLossMean, UntilLoss95      int     // min, until an average worker, or all but 5 %, lose too much water
}

const (
	strainMinutes = 480
	bodyWeight    = 75.0 // kg
	bodyHeight    = 1.8  // m
)

var (
	bodySurface = 0.202 * math.Pow(bodyWeight, 0.425) * math.Pow(bodyHeight, 0.725) // m², DuBois
	bodyHeat    = metUnit * bodyWeight / bodySurface                                // W·min/(m²·K)
)

// PredictStrain is predicted heat strain, ISO 7933:2004, of a person of 75 kg and 1.8 m
// who drinks freely. It reports false outside of what the standard covers: air 15
// to 50 °C, radiant 0 to 60 K above, vapour up to 4.5 kPa, wind up to 3 m/s, 100 to
// 450 W/m², 0.1 to 1 clo.
func PredictStrain(c Conditions, w Work) (Strain, bool) {
	rate := w.Metabolic * metUnit
	vapour := saturationHardy(c.Air) * c.Humidity / 100
	if !within(c.Air, 15, 50) || !within(c.Radiant-c.Air, 0, 60) || !within(vapour, 0, 4.5) ||
		!within(c.Wind, 0, 3) || !within(rate, 100, 450) || !within(w.Clothing, 0.1, 1) {
		return Strain{}, false
	}
	m := newModel(c, w, rate, vapour)
	b := body{Strain: Strain{Rectal: 36.8, Skin: 34.1, Core: 36.8, Equilibrium: 36.8, Weight: 0.3}}
	for minute := 1; minute <= strainMinutes; minute++ {
		b.live(m, minute)
	}
	for _, limit := range []*int{&b.Until38, &b.UntilLossMean, &b.UntilLoss95} {
		if *limit == 0 {
			*limit = strainMinutes
		}
	}
	return b.Strain, true
}

// model is what does not change while a person works: W/m², kPa, m²·K/W.
type model struct {
	Conditions
	rate, vapour               float64
	clo                        float64
	mostSweat, mostWet         float64
	area, reflect              float64 // share of the skin that radiates; emissivity of what covers it
	factor                     float64 // of the surface by clothing
	insulation                 float64 // of the clothing, moving
	evaporation                float64 // resistance to it, m²·kPa/W
	convection                 float64 // W/(m²·K)
	breathHeat, breathMoisture float64
}

func newModel(c Conditions, w Work, rate, vapour float64) *model {
	m := &model{Conditions: c, rate: rate, vapour: vapour, clo: w.Clothing, mostWet: 0.85}
	m.mostSweat = max(250, min((rate-32)*bodySurface, 400))
	if w.Acclimatised {
		m.mostSweat, m.mostWet = m.mostSweat*1.25, 1
	}
	m.area = [...]float64{Standing: 0.77, Sitting: 0.7, Crouching: 0.67}[w.Posture]
	const covered, emissivity = 0.54, 0.97
	m.reflect = (1-covered)*0.97 + covered*emissivity
	m.factor = 1 + 0.3*w.Clothing
	wind, walking := relativeWind(c.Wind, w, rate)
	m.dress(w.Clothing, wind, walking)
	expired := 28.56 + 0.115*c.Air + 0.641*vapour
	m.breathHeat = 0.001516 * rate * (expired - c.Air)
	m.breathMoisture = 0.00127 * rate * (59.34 + 0.53*c.Air - 11.63*vapour)
	forced := 3.5 + 5.2*wind
	if wind > 1 {
		forced = 8.7 * math.Pow(wind, 0.6)
	}
	const skin = 34.1 // at the start
	m.convection = max(forced, 2.38*math.Pow(math.Abs(skin-c.Air), 0.25))
	return m
}

// relativeWind returns the wind that the person meets and how fast it walks, m/s.
func relativeWind(wind float64, w Work, rate float64) (relative, walking float64) {
	switch {
	case w.Walking == 0:
		return wind, min(0.0052*(rate-58), 0.7)
	case w.Angle != 0:
		return math.Abs(wind - w.Walking*math.Cos(w.Angle*math.Pi/180)), w.Walking
	}
	return max(wind, w.Walking), w.Walking
}

// dress corrects the insulation of clothing and air for wind and walking.
func (m *model) dress(clo, wind, walking float64) {
	const still = 0.111 // of the air around a body at rest, m²·K/W
	slow, steady := min(walking, 1.5), min(wind, 3)
	clothed := min(1, 1.044*math.Exp((0.066*steady-0.398)*steady+(0.094*slow-0.378)*slow))
	bare := min(1, math.Exp((0.047*wind-0.472)*wind+(0.117*slow-0.342)*slow))
	moving := clothed
	if clo <= 0.6 {
		moving = ((0.6-clo)*bare + clo*clothed) / 0.6
	}
	total := (clo*0.155 + still/m.factor) * moving
	m.insulation = total - bare*still/m.factor
	const permeability = 0.38
	m.evaporation = total / min(0.9, permeability*((2.6*moving-6.5)*moving+4.9)) / 16.7
}

// dry returns the heat lost by convection and radiation from clothing over skin
// of a temperature.
func (m *model) dry(skin float64) float64 {
	surface := m.Radiant + 0.1
	for {
		radiation := m.reflect * 5.67e-8 * m.area * (math.Pow(surface+273, 4) - math.Pow(m.Radiant+273, 4)) / (surface - m.Radiant)
		next := (m.factor*(m.convection*m.Air+radiation*m.Radiant) + skin/m.insulation) / (m.factor*(m.convection+radiation) + 1/m.insulation)
		if math.Abs(surface-next) <= 0.001 {
			return m.factor * (m.convection*(surface-m.Air) + radiation*(surface-m.Radiant))
		}
		surface = (surface + next) / 2
	}
}

// skin returns the skin temperature towards which a body of that rectal temperature goes.
func (m *model) skin(rectal float64) float64 {
	clothed := 12.165 + 0.02017*m.Air + 0.04361*m.Radiant + 0.19354*m.vapour - 0.25315*m.Wind + 0.005346*m.rate + 0.51274*rectal
	nude := 7.191 + 0.064*m.Air + 0.061*m.Radiant + 0.198*m.vapour - 0.348*m.Wind + 0.616*rectal
	share := max(0, min(2.5*(m.clo-0.2), 1))
	return nude + share*(clothed-nude)
}

// required returns how much has to evaporate and how much a person then sweats.
func (m *model) required(load, most float64) (evaporate, sweat float64) {
	switch wet := load / most; {
	case load <= 0:
		return 0, 0
	case most <= 0 || wet >= 1.7:
		return load, m.mostSweat
	case wet > 1:
		return load, min(m.mostSweat, load/max(0.05, (2-wet)*(2-wet)/2))
	default:
		return load, min(m.mostSweat, load/(1-wet*wet/2))
	}
}

// body is a person at work, minute by minute.
type body struct {
	Strain
	load float64 // W·min/m² that have evaporated
}

// decay is what is left after a minute of what has a time constant of so many.
func decay(minutes float64) float64 { return math.Exp(-1 / minutes) }

func (b *body) live(m *model, minute int) {
	before := b.Strain
	b.Equilibrium = before.Equilibrium*decay(10) + (0.0036*m.rate+36.6)*(1-decay(10))
	stored := bodyHeat * (b.Equilibrium - before.Equilibrium) * (1 - before.Weight)
	b.Skin = before.Skin*decay(3) + m.skin(before.Rectal)*(1-decay(3))
	most := (saturation(b.Skin) - m.vapour) / m.evaporation
	if most == 0 {
		most = 0.001
	}
	required, sweat := m.required(m.rate-stored-m.breathHeat-m.breathMoisture-m.dry(b.Skin), most)
	most = max(most, 0)
	b.Sweat = max(0, before.Sweat*decay(10)+sweat*(1-decay(10)))
	b.warm(before, required-b.evaporated(m, most)+stored)
	b.Rectal = before.Rectal + (2*b.Core-1.962*before.Rectal-1.31)/9
	b.load += b.Sweat + m.breathMoisture
	b.Loss = b.load * 2.67 * bodySurface / 1.8 / 60
	reach(&b.Until38, minute, b.Rectal >= 38)
	reach(&b.UntilLossMean, minute, b.Loss >= 0.075*bodyWeight*1000)
	reach(&b.UntilLoss95, minute, b.Loss >= 0.05*bodyWeight*1000)
}

func reach(limit *int, minute int, reached bool) {
	if *limit == 0 && reached {
		*limit = minute
	}
}

// evaporated is what of the sweat evaporates.
func (b *body) evaporated(m *model, most float64) float64 {
	if b.Sweat <= 0 {
		return 0
	}
	wet, k := 1.0, most/b.Sweat
	if k >= 0.5 {
		wet = -k + math.Sqrt(k*k+2)
	}
	return min(wet, m.mostWet) * most
}

// warm brings the core to what it is after storing heat for a minute, W/m².
func (b *body) warm(before Strain, stored float64) {
	guess := before.Core
	for {
		b.Weight = max(0.1, min(0.3-0.09*(guess-36.8), 0.3))
		b.Core = (stored/bodyHeat + before.Skin*before.Weight/2 - b.Skin*b.Weight/2 + before.Core*(1-before.Weight/2)) / (1 - b.Weight/2)
		if math.Abs(b.Core-guess) <= 0.001 {
			return
		}
		guess = (guess + b.Core) / 2
	}
}
