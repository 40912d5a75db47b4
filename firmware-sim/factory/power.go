package factory

import (
	"time"

	sim "nirapod/firmware-sim"
)

const (
	cutsADay = 4
	boots    = 45 * time.Second // of a gateway that was without power
	warms    = time.Minute      // of instruments that were without power
	// changeover is how long the mains, once back, take the load over.
	changeover = 2 * time.Second
)

// cut is one power cut: dark until the generator runs, and for a moment when
// the mains come back.
type cut struct{ from, starts, to time.Duration }

func (c cut) dark(t time.Duration) bool {
	return t >= c.from && t < c.starts || t >= c.to && t < c.to+changeover
}

// cuts throws four a day, by day and by night. The generator of 300 kW takes 8
// to 40 s to start. It gives off 3.0 g of CO for each hp and hour (AP-42, table 3.3-1;
// recalled), 340 mg/s through its pipe, of which 2 % leak into its room (chosen),
// a puff of soot when it starts and 15 kW of heat that the fan does not blow out (chosen).
func (p *plan) cuts(d int) {
	for quarter := range cutsADay {
		from := p.between(d, 6*float64(quarter)+0.2, 6*float64(quarter)+4)
		starts := from + time.Duration(8+32*p.rnd.Float64())*time.Second
		c := cut{from, starts, from + minutes(p.rnd, 10, 90)}
		soot := sim.Source{Zone: "generator", At: starts, For: 20 * time.Second, Smoke: 0.2}
		run := sim.Source{Zone: "generator", At: starts, For: c.to - starts, CO: 0.02 * 340 * p.lognormal(0.4), Heat: 15}
		p.add(Cut, from, c.to-from, func(f *Factory) {
			f.cuts = append(f.cuts, c)
			f.climate.Begin(soot)
			f.climate.Begin(run)
		}, "generator")
	}
}

// outages are times without the SIM, so without the server: 20 minutes to 3
// hours, five in a month and one on the first day. Chosen.
func (p *plan) outages() {
	for d := 0; d < p.days; d += 6 {
		from, length := p.between(d, 7, 20), minutes(p.rnd, 20, 180)
		p.add(Outage, from, length, func(f *Factory) { f.outages = append(f.outages, span{from, from + length}) })
	}
}

type span struct{ from, to time.Duration }

func (s span) holds(t time.Duration) bool { return t >= s.from && t < s.to }

// Online reports whether the gateways reach the server now.
func (f *Factory) Online() bool { return !anySpan(f.outages, f.now) }

func anySpan(spans []span, t time.Duration) bool {
	for _, s := range spans {
		if s.holds(t) {
			return true
		}
	}
	return false
}

// unbacked is the gateway whose battery is dead: it goes with the mains.
const unbacked = "gw-top"

// Up reports whether a gateway runs now. One that came back has forgotten all
// but what it had kept.
func (f *Factory) Up(gateway string) bool {
	return gateway != unbacked || !f.darkWithin(boots)
}

// darkWithin reports whether there was no power at some moment of the last d.
func (f *Factory) darkWithin(d time.Duration) bool {
	for _, c := range f.cuts {
		if c.dark(f.now) || f.now >= c.starts && f.now < c.starts+d || f.now >= c.to && f.now < c.to+changeover+d {
			return true
		}
	}
	return false
}

func (f *Factory) dark() bool {
	for _, c := range f.cuts {
		if c.dark(f.now) {
			return true
		}
	}
	return false
}
