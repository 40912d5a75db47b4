package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"nirapod/firmware-sim/simbus"
)

// World is a scenario at work: the building, the box's buses and pins, and what
// is wrong with them. Its methods are safe for concurrent use. Each takes the
// time since the scenario's beginning and first lets all happen that was due;
// time that goes back counts as the time last seen.
type World struct {
	scenario *Scenario

	mu       sync.Mutex
	now      time.Duration        // guarded by mu
	plant    *plant               // guarded by mu
	chips    map[string]machine   // by target; guarded by mu
	targets  []string             // of chips, as in the scenario
	terminal map[string]*terminal // by id; guarded by mu
	bank     *bank                // guarded by mu
	units    map[uint8]unit       // of the RS-485 line, by address; guarded by mu
	faults   map[string]faults    // by target; guarded by mu
	events   []Event              // still to come, in order; guarded by mu
	names    map[string]string    // what a fault can name → what it is
	vref     float64
}

// New returns the world of a loaded scenario at time 0. The same seed and the
// same transactions at the same times give the same answers.
func New(sc *Scenario, seed uint64) *World {
	w := &World{
		scenario: sc,
		plant:    newPlant(sc, seed, tick),
		chips:    make(map[string]machine),
		terminal: make(map[string]*terminal),
		bank:     newBank(sc.building.Pins, seed),
		units:    make(map[uint8]unit),
		faults:   make(map[string]faults),
		events:   slices.Clone(sc.Events),
		names:    make(map[string]string),
		vref:     sc.building.Vref * (1 + vrefSpread*(2*newDice(seed, "vref").unit(0)-1)),
	}
	slices.SortStableFunc(w.events, func(a, b Event) int { return int(a.At - b.At) })
	for _, c := range sc.building.Chips {
		w.place(c, seed)
	}
	w.installLine(sc, seed)
	for _, p := range sc.building.Pins {
		w.names[p.Name] = targetOutput
		if p.Direction == "in" {
			w.names[p.Name] = targetInput
		}
	}
	return w
}

// installLine connects the units of the RS-485 line, and the boilers behind some.
func (w *World) installLine(sc *Scenario, seed uint64) {
	for _, c := range sc.building.Counters {
		w.units[c.Unit] = newCounter(c, sc.Crowds)
		w.names[c.Target()] = targetCounter
	}
	boilers := make(map[string]*boiler)
	for _, b := range sc.building.Boilers {
		boilers[b.ID] = newBoiler(b, seed, func() faults { return w.faults[b.ID] })
		w.plant.boilers = append(w.plant.boilers, boilers[b.ID])
		w.names[b.ID] = targetBoiler
	}
	for _, g := range sc.building.Gauges {
		w.units[g.Unit] = &gauge{Gauge: g, dice: newDice(seed, g.Target()), boiler: boilers[g.Boiler]}
		w.names[g.Target()] = targetGauge
	}
}

func (w *World) place(c Chip, seed uint64) {
	target := c.Target()
	w.targets = append(w.targets, target)
	w.names[target] = targetOf[c.Part]
	own := func() faults { return w.faults[target] }
	switch c.Part {
	case partSCD41:
		w.chips[target] = newSCD41(c, seed, func() air { return w.plant.gas(c.Zone, 1) }, own)
		return
	case partHDC302x:
		w.chips[target] = newHDC302x(c, seed, func() air { return w.plant.gas(c.Zone, c.Radius) }, own)
		return
	}
	wired := make(map[int]*terminal)
	for _, in := range c.Inputs {
		wired[in.AIN] = w.wire(in, seed)
	}
	volts := func(ain int) float64 {
		if t := wired[ain]; t != nil {
			return t.volts(w.now)
		}
		return 0
	}
	w.chips[target] = newADS1115(c, seed, volts, own)
}

func (w *World) wire(in Input, seed uint64) *terminal {
	t := &terminal{
		Input:  in,
		dice:   newDice(seed, "input/"+in.ID),
		faults: func() faults { return w.faults[in.ID] },
		vref:   func() float64 { return w.vref },
		air:    func() air { return w.plant.gas(in.Zone, 1) },
	}
	if in.Kind == kindCOLoop {
		t.felt = t.air().co
	}
	w.terminal[in.ID] = t
	w.names[in.ID] = targetOf[in.Kind]
	return t
}

// Advance lets the world go on to now.
func (w *World) Advance(now time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
}

func (w *World) advance(now time.Duration) { // with mu
	for w.plant.now()+tick <= now {
		w.plant.step()
		w.now = max(w.now, w.plant.now())
		w.happen()
		for _, t := range w.terminal {
			t.step(w.now)
		}
		for _, c := range w.chips {
			c.step(w.now)
		}
		for name, c := range w.bank.inputs {
			c.step(w.now, w.faults[name])
		}
	}
	w.now = max(w.now, now)
}

// happen brings about the events that are due.
func (w *World) happen() { // with mu
	for len(w.events) > 0 && w.events[0].At <= w.now {
		if e := w.events[0]; e.Set != nil {
			w.set(*e.Set)
		} else {
			w.inject(*e.Fault)
		}
		w.events = w.events[1:]
	}
}

// Transact does one transaction on an I2C bus. Errors wrap simbus.ErrNACK or
// simbus.ErrTimeout; the caller is to be kept waiting for the latter.
func (w *World) Transact(now time.Duration, bus string, addr uint16, out []byte, n int) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	if _, stuck := w.faults[bus].on(BusStuck, w.now); stuck {
		return nil, fmt.Errorf("%s is stuck: %w", bus, simbus.ErrTimeout)
	}
	if addr == 0 {
		return nil, w.generalCall(bus, out)
	}
	target := Chip{Bus: bus, Address: addr}.Target()
	chip, ok := w.chips[target]
	if _, absent := w.faults[target].on(NACK, w.now); absent || !ok {
		return nil, fmt.Errorf("%s: %w", target, simbus.ErrNACK)
	}
	if _, stuck := w.faults[target].on(Timeout, w.now); stuck {
		return nil, fmt.Errorf("%s: %w", target, simbus.ErrTimeout)
	}
	return chip.transact(w.now, out, n)
}

// generalCall resets every part on the bus: address 0, byte 06.
func (w *World) generalCall(bus string, out []byte) error { // with mu
	if len(out) != 1 || out[0] != 6 || !hasBus(w.names, bus) {
		return simbus.ErrNACK
	}
	for target, chip := range w.chips {
		if len(target) > len(bus) && target[:len(bus)+1] == bus+"/" {
			chip.powerOn(w.now)
		}
	}
	return nil
}

// HasBus reports whether any chip sits on an I2C bus of that name.
func (w *World) HasBus(name string) bool { return hasBus(w.names, name) }

// ReadPin returns the level of an input pin, bounce and all.
func (w *World) ReadPin(now time.Duration, pin string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	c, err := w.bank.input(pin)
	if err != nil {
		return false, err
	}
	c.step(w.now, w.faults[pin])
	return c.read(w.now, w.faults[pin]), nil
}

// WritePin drives an output pin. at is the wall clock's time, for the record.
func (w *World) WritePin(now time.Duration, at time.Time, pin string, level bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	return w.bank.write(pin, level, w.now, at)
}

// Inject puts a fault on its target, in place of one of the same kind. A fault
// that the target cannot have is refused.
func (w *World) Inject(now time.Duration, f Fault) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := f.check(w.names); err != nil {
		return err
	}
	w.advance(now)
	w.inject(f)
	return nil
}

func (w *World) inject(f Fault) { // with mu
	if f.Kind == Reboot {
		w.reboot(f.Target)
		return
	}
	if w.faults[f.Target] == nil {
		w.faults[f.Target] = make(faults)
	}
	w.faults[f.Target][f.Kind] = active{Fault: f, since: w.now}
	if f.Kind != Frozen {
		return
	}
	if t := w.terminal[f.Target]; t != nil { // what it has now is what it keeps
		t.kept, t.frozen = t.volts(w.now), true
	}
	if c := w.bank.inputs[f.Target]; c != nil {
		c.step(w.now, w.faults[f.Target])
	}
}

func (w *World) reboot(target string) { // with mu
	if c := w.chips[target]; c != nil {
		c.powerOn(w.now)
	}
	if t := w.terminal[target]; t != nil {
		t.powerOn(w.now)
	}
	for _, u := range w.units {
		if u.Target() == target {
			u.powerOn(w.now)
		}
	}
}

// Repair ends every fault on a target.
func (w *World) Repair(now time.Duration, target string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.names[target] == "" && !hasBus(w.names, target) {
		return fmt.Errorf("there is no %q to repair", target)
	}
	w.advance(now)
	delete(w.faults, target)
	if t := w.terminal[target]; t != nil {
		t.frozen = false
	}
	return nil
}

// Set puts an input pin or a quantity of a zone's air to a value.
func (w *World) Set(now time.Duration, s Setting) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	zones := make(map[string]bool)
	for id := range w.plant.rooms {
		zones[id] = true
	}
	if err := s.check(zones, w.names); err != nil {
		return err
	}
	w.advance(now)
	w.set(s)
	return nil
}

func (w *World) set(s Setting) { // with mu
	if s.Pin != "" {
		w.bank.inputs[s.Pin].set(w.now, s.Level, s.For)
		return
	}
	driven := w.plant.rooms[s.Zone].driven
	if s.Clear {
		delete(driven, s.Quantity)
		return
	}
	end := w.now + s.For
	driven[s.Quantity] = func(t time.Duration) (float64, bool) { return s.Value, s.For == 0 || t < end }
}
