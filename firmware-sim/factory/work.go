package factory

import (
	"math"
	"time"

	sim "nirapod/firmware-sim"
)

// steamHeat is what steam warms the air by, kJ/g: what 100 °C holds above the
// air of the room (1.9 J/(g·K), 63 K), and the latent heat (2257 J/g) of the
// 6 % that stay drops where the plume reaches the ceiling saturated.
const steamHeat = 0.25

// steamMist is the extinction of its drops, m²/g of steam: 6 % of it in drops
// of 10 µm, 0.3 m²/g (twice the cross-section).
const steamMist = 0.06 * 0.3

func steam(zone string, at, length time.Duration, grams float64) sim.Source {
	return sim.Source{Zone: zone, At: at, For: length, Steam: grams, Heat: grams * steamHeat, Mist: grams * steamMist}
}

// irons are 24 irons that take 1.2 kg of steam an hour each, and a press
// that lets off 40 g/s now and then. Chosen: sheets of boiler-fed irons say 1 to 3 kg/h.
func (p *plan) irons(d int) {
	all := sim.Source{Zone: "finishing", At: p.between(d, opens+0.2, opens+0.4), For: 15 * time.Hour, Steam: 8}
	p.source(Irons, all)
	for t := all.At; t < all.At+all.For; t += minutes(p.rnd, 4, 20) {
		p.source(Irons, steam("finishing", t, minutes(p.rnd, 0.4, 1), 40*p.lognormal(0.2)))
	}
}

// dyeing lets off the steam of a machine that is opened: of 1 m³ of liquor at
// 130 °C, 5.6 % flash when the pressure goes; a tenth of that escapes into the hall
// (chosen) within a minute. Between, vapour of acid and carrier stands over the
// baths: 30 to 80 mg/s, chosen.
func (p *plan) dyeing(d int) {
	begin, end := p.between(d, opens, opens+0.5), time.Duration(d)*day+time.Duration((closes-0.5)*float64(time.Hour))
	p.source(DyeVapour, sim.Source{Zone: "dyeing", At: begin, For: end - begin, VOC: 30 + 50*p.rnd.Float64(), Steam: 6})
	p.source(DyeVapour, sim.Source{Zone: "chemical", At: begin + minutes(p.rnd, 10, 90), For: minutes(p.rnd, 15, 40), VOC: 8})
	for t := begin + minutes(p.rnd, 20, 60); t < end; t += minutes(p.rnd, 40, 100) {
		p.source(DyeSteam, steam("dyeing", t, minutes(p.rnd, 0.4, 0.8), 90+90*p.rnd.Float64()))
	}
}

// blowDown is a boiler's bottom valve, once a shift: 20 s, part of it flashes. Chosen.
func (p *plan) blowDown(d int) {
	for _, hour := range []float64{opens + 0.3, changes + 0.3} {
		p.source(BlowDown, steam("boiler", p.between(d, hour, hour+0.5), 20*time.Second, 120))
	}
}

// lint is blown off the lines at the end of a shift: little stays in the air of
// the hall, a cloud passes one head. Its density, a median of 0.012 1/m with a
// wide spread, is chosen so that a dusty head now and then answers: several
// times as often as the one false alarm a year for 20 heads above which BS 5839-1 asks for
// an inquiry (recalled).
func (p *plan) lint(d int) {
	for _, hour := range []float64{changes - 0.5, closes - 0.6} {
		for _, zone := range []string{"cutting", "sewing-a", "sewing-b"} {
			at, heads := p.between(d, hour, hour+0.3), p.heads(zone)
			dense, head := 0.012*p.lognormal(0.6), heads[p.rnd.IntN(len(heads))]
			lasts := minutes(p.rnd, 0.3, 0.8)
			hall := sim.Source{Zone: zone, At: at, For: 6 * time.Minute, Smoke: 0.02}
			p.add(Lint, at, hall.For, func(f *Factory) {
				f.climate.Begin(hall)
				f.clouds[head] = cloud{f.now + lasts, dense}
			}, zone)
		}
	}
}

func (p *plan) heads(zone string) (ids []string) {
	for _, s := range p.site.Sensors {
		if s.Zone == zone && s.Quantity == "smoke" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// welding is hot work twice a week, with an electrode 0.5 g of fume a minute (AP-42,
// 12.19, for some 20 g/kg and 25 g/min; recalled) a third of the time, 3 m²/g (metal oxide
// of less than 1 µm; chosen), 3 kW of the arc's heat and 1 mg/s of CO.
func (p *plan) welding(d int) {
	if d%7 != 0 && d%7 != 2 {
		return
	}
	zone := []string{"packing", "shed", "store", "cutting"}[p.rnd.IntN(4)]
	at, length := p.between(d, 9, 12), minutes(p.rnd, 25, 70)
	permit := p.permit(at-5*time.Minute, at+length+30*time.Minute, zone)
	p.add(Welding, at-5*time.Minute, length+35*time.Minute, permit, zone)
	for t := at; t < at+length; t += minutes(p.rnd, 2, 6) {
		arc := sim.Source{Zone: zone, At: t, For: minutes(p.rnd, 0.5, 2), Heat: 3, CO: 1, Smoke: 0.5 / 60 * 3}
		p.add(Welding, t, arc.For, func(f *Factory) { f.climate.Begin(arc) }, zone)
	}
}

// trucks stand with the engine outside the dock's door. Idling, a heavy diesel
// gives off 26 g of CO an hour, a petrol one 152 (EPA420-F-08-025, fleet of 2008;
// recalled); old or cold ones a multiple (chosen), and 30 % comes in (chosen).
func (p *plan) trucks(d int) {
	for range 3 + p.rnd.IntN(4) {
		grams := 26.0
		if p.rnd.Float64() < 0.15 {
			grams = 152
		}
		share := 0.3 * p.lognormal(0.6)
		truck := sim.Source{
			Zone: "loading", At: p.between(d, 7, 20), For: minutes(p.rnd, 4, 20),
			CO: share * grams / 3.6, Heat: 1.5, Smoke: 0.02,
		}
		p.add(Truck, truck.At, truck.For, func(f *Factory) {
			if f.idles(truck.Zone) {
				f.climate.Begin(truck)
			}
		}, truck.Zone)
	}
}

// charging gives off hydrogen towards the end of a charge: 13e-6 cubic feet a
// minute for each Ah and cell at 25 °C (EnerSys, RE cells, manual US-RE-IOM-002), so 74 ml/s
// for 24 cells of 500 Ah, twice that at 33 °C. One truck battery a night.
func (p *plan) charging(d int) {
	p.source(Charging, sim.Source{
		Zone: "charging", At: p.between(d, 22.5, 23.5), For: minutes(p.rnd, 120, 300), Hydrogen: 74 * (1 + p.rnd.Float64()),
	})
}

// oilFog is the extinction of a thermal fog, m²/g: drops of 5 µm of oil, twice
// their cross-section. WHO gives less than 20 µm for most.
const oilFog = 0.7

// fogging is done indoors in the last hour of a Monday: 5 to 15 l/ha (WHO, space
// spray guide: 5 to 10 usual, 50 at most) of oil of 0.85 g/ml, in minutes, room by room.
// A quarter of it comes to be in the layer that the heads are in.
func (p *plan) fogging(d int) {
	if d%7 != 0 {
		return
	}
	at := p.between(d, 20.6, 20.8)
	zones := []string{"store", "stair-a", "cutting", "sewing-a", "sewing-b", "stair-b", "packing"}
	p.add(Fogging, at-10*time.Minute, 100*time.Minute, p.permit(at-10*time.Minute, at+90*time.Minute, zones...), zones...)
	for i, id := range zones {
		z, lasts := p.zone(id), 4*time.Minute
		grams := z.Area * (0.5 + p.rnd.Float64()) * 0.85 * layerShare
		fog := sim.Source{
			Zone: id, At: at + time.Duration(i)*5*time.Minute, For: lasts,
			Smoke: grams * oilFog / lasts.Seconds(), VOC: 20,
		}
		p.add(Fogging, fog.At, 45*time.Minute, func(f *Factory) { f.climate.Begin(fog) }, id)
	}
}

// layerShare of a room's height is the layer under its ceiling, as the simulator has it.
const layerShare = 0.25

// street is the city's fogger that drives by at dusk, on three evenings a week:
// 20 l/h and 50 m³/s of wind through its cloud make an optical density of 0.01
// to 0.03 1/m outside; what is aired by windows takes it in.
func (p *plan) street(d int) {
	if d%7 != 0 && d%7 != 3 && d%7 != 4 {
		return
	}
	at, lasts, dense := p.between(d, 18.2, 19.2), minutes(p.rnd, 2, 5), 0.01+0.02*p.rnd.Float64()
	for _, id := range []string{"store", "loading", "stair-a", "cutting", "sewing-a", "sewing-b", "stair-b", "packing", "shed"} {
		z := p.zone(id)
		taken := dense * math.Ln10 * z.Area * z.Height * layerShare * z.AirChanges / 3600
		p.source(Street, sim.Source{Zone: id, At: at, For: lasts, Smoke: taken, VOC: 2})
	}
}
