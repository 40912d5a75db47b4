package sim_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"nirapod/app/demo"
	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/simbus"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state/sitefile"
)

// The demo's wiring, as its agent's file has it.
var (
	heatOf   = map[string]uint16{"store-heat": 0x44, "sewing-heat": 0x45, "ironing-heat": 0x46, "boiler-heat": 0x47}
	dampOf   = map[string]uint16{"store-rh": 0x44, "sewing-rh": 0x45, "ironing-rh": 0x46}
	smokeOf  = map[string][2]byte{"store-smoke": {0x48, 0}, "sewing-smoke": {0x48, 1}, "stair-a-smoke": {0x49, 0}, "stair-b-smoke": {0x49, 1}}
	switchOf = map[string]string{"main-door": "SIM_MAIN_DOOR", "roof-door": "SIM_ROOF_DOOR", "main-lock": "SIM_MAIN_LOCK", "roof-lock": "SIM_ROOF_LOCK", "call-point-1": "SIM_CALL_1", "call-point-2": "SIM_CALL_2", "ack-button": "SIM_ACK", "panel-key": "SIM_KEY"}
)

// watch lets a scenario run in steps of a second: a gateway of the test's own
// reads every register of the demo, and the shipped rules judge.
type watch struct {
	t      *testing.T
	world  *sim.World
	engine *rules.Engine
	told   []safety.Transition
	begun  time.Time
	now    time.Duration
	spent  time.Duration // of this second, by conversions
	air    struct {      // the SCD41
		phase string
		since time.Duration
	}
}

func watching(t *testing.T, scenario string) *watch {
	t.Helper()
	sc, err := sim.Load(scenario, "")
	if err != nil {
		t.Fatal(err)
	}
	site, _, err := sitefile.Parse("site.yaml", demo.Site)
	if err != nil {
		t.Fatal(err)
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	e, err := rules.New(packs, rules.PlantOf(site), rules.Gateway|rules.Server, demo.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	return &watch{t: t, world: sim.New(sc, 1), engine: e, begun: time.Date(2026, 11, 26, 4, 0, 0, 0, time.UTC)}
}

// until reads everything once a second up to end.
func (w *watch) until(end time.Duration) {
	w.t.Helper()
	for ; w.now < end; w.now += time.Second {
		w.spent = 0
		all := map[string]safety.Reading{}
		for addr := uint16(0x44); addr <= 0x47; addr++ {
			w.climate(addr, all)
		}
		for id, at := range smokeOf {
			all[id] = w.loop(at[0], at[1])
		}
		all["boiler-co"] = w.transmitter(0x48, 2)
		w.people("sewing", []byte{1, 4, 0, 0, 0, 7, 0xb1, 0xc8}, all)
		w.people("store", []byte{2, 4, 0, 0, 0, 7, 0xb1, 0xfb}, all)
		all["boiler-pressure"] = w.pressure()
		if r, due := w.carbon(); due {
			all["sewing-co2"] = r
		}
		for id, pin := range switchOf {
			level, err := w.world.ReadPin(w.now, pin)
			if err != nil {
				w.t.Fatal(err)
			}
			all[id] = contactSays(level)
		}
		at := w.begun.Add(w.now)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			r := all[id]
			r.Sensor, r.At, r.Flags = id, at, safety.Simulated
			w.told = append(w.told, w.engine.Observe(r)...)
		}
		w.told = append(w.told, w.engine.Tick(at.Add(900*time.Millisecond))...)
	}
}

func contactSays(level bool) safety.Reading {
	if level {
		return known(1)
	}
	return known(0)
}

func known(v float64) safety.Reading { return safety.Reading{Value: v, Quality: safety.Good} }

func unreadable(err error) safety.Reading {
	if errors.Is(err, simbus.ErrNACK) {
		return safety.Reading{Reason: safety.NACK}
	}
	return safety.Reading{Reason: safety.Timeout}
}

func (w *watch) tx(addr uint16, n int, out ...byte) ([]byte, error) {
	return w.world.Transact(w.now+w.spent, "i2c-1", addr, out, n)
}

// climate reads one HDC302x; one that does not acknowledge is started (again).
func (w *watch) climate(addr uint16, all map[string]safety.Reading) {
	var heat, damp safety.Reading
	b, err := w.tx(addr, 6, 0xe0, 0x00)
	if err != nil {
		heat, damp = unreadable(err), unreadable(err)
		_, _ = w.tx(addr, 0, 0x21, 0x30) // the next read tells whether it helped
	} else {
		heat = known(-45 + 175*float64(binary.BigEndian.Uint16(b))/65535)
		damp = known(100 * float64(binary.BigEndian.Uint16(b[3:])) / 65535)
	}
	for id, a := range heatOf {
		if a == addr {
			all[id] = heat
		}
	}
	for id, a := range dampOf {
		if a == addr {
			all[id] = damp
		}
	}
}

func (w *watch) volts(addr, ain byte) (float64, error) {
	if _, err := w.tx(uint16(addr), 0, 1, 0xc3|ain<<4, 0x83); err != nil {
		return 0, err
	}
	w.spent += 12 * time.Millisecond
	b, err := w.tx(uint16(addr), 2, 0)
	if err != nil {
		return 0, err
	}
	return float64(int16(binary.BigEndian.Uint16(b))) * 4.096 / 32768, nil
}

func (w *watch) loop(addr, ain byte) safety.Reading {
	line, err := w.volts(addr, ain)
	if err != nil {
		return unreadable(err)
	}
	supply, err := w.volts(addr, 3)
	if err != nil {
		return unreadable(err)
	}
	switch ratio := line / supply; {
	case inAlarm(ratio):
		return known(1)
	case normal(ratio):
		return known(0)
	case ratio > 0.9:
		return safety.Reading{Reason: safety.WireOpen}
	default:
		return safety.Reading{Reason: safety.WireShort}
	}
}

// people reads one counter, by the frame that asks for all its registers. 5 % of
// all passages may be wrong.
func (w *watch) people(zone string, request []byte, all map[string]safety.Reading) {
	low, high := safety.Reading{Reason: safety.Timeout}, safety.Reading{Reason: safety.Timeout}
	if b, _ := w.world.Serial(w.now+w.spent, request); len(b) == 19 && binary.BigEndian.Uint16(b[5:]) == 1 {
		in, out := float64(binary.BigEndian.Uint32(b[9:])), float64(binary.BigEndian.Uint32(b[13:]))
		low, high = known(math.Ceil(in-out-0.05*(in+out))), known(math.Floor(in-out+0.05*(in+out)))
	}
	all[zone+"-people"], all[zone+"-people-high"] = low, high
}

// pressure reads the boiler's gauge: a float, high word first.
func (w *watch) pressure() safety.Reading {
	b, _ := w.world.Serial(w.now+w.spent, []byte{3, 4, 0, 0, 0, 2, 0x70, 0x29})
	if len(b) != 9 {
		return safety.Reading{Reason: safety.Timeout}
	}
	return known(float64(math.Float32frombits(binary.BigEndian.Uint32(b[3:]))))
}

// carbon reads the SCD41 when it has something new, each 5 s or so. It is
// stopped, a second later started, and started anew when it has nothing for long
// or is not there.
func (w *watch) carbon() (r safety.Reading, due bool) {
	switch w.air.phase {
	case "":
		_, _ = w.tx(0x62, 0, 0x3f, 0x86) // whether it is there is seen when it is asked
		w.air.phase = "stopped"
		return r, false
	case "stopped":
		_, _ = w.tx(0x62, 0, 0x21, 0xb1)
		w.air.phase, w.air.since = "started", w.now
		return r, false
	}
	b, err := w.ask(3, 0xe4, 0xb8)
	if err == nil && binary.BigEndian.Uint16(b)&0x7ff != 0 {
		if b, err = w.ask(9, 0xec, 0x05); err == nil {
			w.air.since = w.now
			return known(float64(binary.BigEndian.Uint16(b))), true
		}
	}
	if err == nil && w.now-w.air.since < 8*time.Second || err != nil && w.now-w.air.since < 5*time.Second {
		return r, false
	}
	w.air.phase = ""
	if err == nil {
		return safety.Reading{Reason: safety.Warming}, true
	}
	return unreadable(err), true
}

// ask writes a command to the SCD41 and reads its answer a little later.
func (w *watch) ask(n int, out ...byte) ([]byte, error) {
	if _, err := w.tx(0x62, 0, out...); err != nil {
		return nil, err
	}
	w.spent += 2 * time.Millisecond
	return w.tx(0x62, n)
}

// transmitter reads 4 to 20 mA on 150 ohm, 0 to 500 ppm.
func (w *watch) transmitter(addr, ain byte) safety.Reading {
	v, err := w.volts(addr, ain)
	if err != nil {
		return unreadable(err)
	}
	switch mA := v / 150 * 1e3; {
	case mA < 1:
		return safety.Reading{Reason: safety.WireOpen}
	case mA < 3.7:
		return safety.Reading{Reason: safety.Implausible}
	default:
		return known(max(0, (mA-4)/16*500))
	}
}

// first returns when rule at a sensor or zone first came to a state; -1 if never.
func (w *watch) first(rule, scope string, to safety.State) time.Duration {
	for _, tr := range w.told {
		if tr.Rule == rule && tr.To == to && (tr.Sensor == scope || tr.Sensor == "" && tr.Zone == scope) {
			return tr.At.Sub(w.begun)
		}
	}
	return -1
}

// alarms are the rules of class alarm that fired, with what they watch.
func (w *watch) alarms() map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, tr := range w.told {
		if name := tr.Rule + " " + tr.Sensor; tr.Class == safety.ClassAlarm && tr.To == safety.Firing && out[name] == 0 {
			out[name] = tr.At.Sub(w.begun)
		}
	}
	return out
}

// burn fills a zone with smoke for a while.
func (w *watch) burn(zone string, hold time.Duration) {
	w.t.Helper()
	if err := w.world.Set(w.now, sim.Setting{Zone: zone, Quantity: "smoke_od", Value: 5, For: hold}); err != nil {
		w.t.Fatal(err)
	}
}

func between(t *testing.T, what string, got, early, late time.Duration) {
	t.Helper()
	if got < early || got > late {
		t.Errorf("%s at %v, want %v to %v", what, got, early, late)
	}
}
