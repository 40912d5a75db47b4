package sim

import "time"

// Boiler is a steam boiler: a burner that a pressure switch turns on and off,
// steam that is drawn, and a safety valve.
type Boiler struct {
	ID       string  `yaml:"id"` // how faults call it
	Setpoint float64 `yaml:"setpoint_bar"`
	Band     float64 `yaml:"band_bar"`           // the switch's, around the setpoint; default 0.4
	Firing   float64 `yaml:"firing_bar_per_min"` // the burner alone; default 1.4
	Draw     float64 `yaml:"draw_bar_per_min"`   // steam taken; default 0.7
	Valve    float64 `yaml:"valve_bar"`          // the safety valve opens
}

const (
	boilerBand, boilerFiring, boilerDraw = 0.4, 1.4, 0.7

	valveVents = 6.0  // bar a minute through the open valve, assumed
	valveShuts = 0.96 // of its opening pressure: 4 % blow-down (ASME I valves, secondary)
	drawKnot   = 20 * time.Second
	drawSpread = 0.15 // of the draw, standard deviation of its wandering
)

// boiler is a boiler at work. Pressures are gauge pressures in bar.
type boiler struct {
	Boiler
	dice   dice
	faults func() faults

	pressure float64
	burning  bool
	venting  bool
}

func newBoiler(b Boiler, seed uint64, faults func() faults) *boiler {
	return &boiler{Boiler: b, dice: newDice(seed, "boiler/"+b.ID), faults: faults, pressure: b.Setpoint, burning: true}
}

// step moves the boiler on by one tick. A burner that is stuck burns on
// whatever the switch says, a valve that is stuck stays shut.
func (b *boiler) step(now time.Duration) {
	_, burns := b.faults().on(BurnerStuck, now)
	_, shut := b.faults().on(ValveStuck, now)
	switch {
	case burns || b.pressure < b.Setpoint-b.Band/2:
		b.burning = true
	case b.pressure > b.Setpoint+b.Band/2:
		b.burning = false
	}
	b.venting = !shut && (b.pressure >= b.Valve || b.venting && b.pressure > b.Valve*valveShuts)
	perMinute := -b.Draw * (1 + drawSpread*b.dice.wander(now, drawKnot))
	if b.burning {
		perMinute += b.Firing
	}
	if b.venting {
		perMinute -= valveVents
	}
	b.pressure = max(0, b.pressure+perMinute*tick.Minutes())
}
