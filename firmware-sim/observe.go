package sim

import "time"

// State is where a world stands.
type State struct {
	Scenario string        `json:"scenario"`
	Elapsed  time.Duration `json:"elapsed"`
	Zones    []ZoneState   `json:"zones"`
	Inputs   []InputState  `json:"inputs"`
	Boilers  []BoilerState `json:"boilers"`
	Faults   []Fault       `json:"faults"` // those that are on
}

// ZoneState is the air under a zone's ceiling, a metre from the axis of a fire.
type ZoneState struct {
	Zone        string  `json:"zone"`
	Temperature float64 `json:"temperature_c"`
	Humidity    float64 `json:"humidity_pct"`
	Smoke       float64 `json:"smoke_od"` // 1/m, base 10
	CO          float64 `json:"co_ppm"`
	CO2         float64 `json:"co2_ppm"` // over the whole room
}

// BoilerState is a boiler as it is, whatever its gauge says.
type BoilerState struct {
	ID       string  `json:"id"`
	Pressure float64 `json:"pressure_bar"` // gauge
	Burning  bool    `json:"burning"`
	Venting  bool    `json:"venting"`
}

// InputState is what stands behind an analog input.
type InputState struct {
	ID    string  `json:"id"`
	Volts float64 `json:"volts"`
	Felt  float64 `json:"felt"`  // in the smoke chamber (1/m) or the gas cell (ppm)
	Alarm bool    `json:"alarm"` // a smoke head that has latched
}

// Outputs returns what the output pins have done, in the scenario's order.
func (w *World) Outputs() []Output {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Output
	for _, name := range w.bank.order {
		all = append(all, *w.bank.outputs[name])
	}
	return all
}

// Forget drops what the outputs have done so far; a level that stands, stands.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bank.forget()
}

// Registers returns what stands in every chip's registers.
func (w *World) Registers(now time.Duration) []Register {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	var all []Register
	for _, target := range w.targets {
		all = append(all, w.chips[target].registers(w.now)...)
	}
	return all
}

// State returns where the world stands.
func (w *World) State(now time.Duration) State {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	s := State{Scenario: w.scenario.Name, Elapsed: w.now}
	for _, r := range w.plant.order {
		a := w.plant.gas(r.ID, 1)
		s.Zones = append(s.Zones, ZoneState{
			Zone: r.ID, Temperature: a.temperature, Humidity: min(100*a.vapour/saturation(a.temperature), 100),
			Smoke: a.smoke, CO: a.co, CO2: a.co2,
		})
	}
	for _, c := range w.scenario.building.Chips {
		for _, in := range c.Inputs {
			t := w.terminal[in.ID]
			s.Inputs = append(s.Inputs, InputState{ID: in.ID, Volts: t.volts(w.now), Felt: t.felt, Alarm: t.latched})
		}
	}
	for _, b := range w.plant.boilers {
		s.Boilers = append(s.Boilers, BoilerState{ID: b.ID, Pressure: b.pressure, Burning: b.burning, Venting: b.venting})
	}
	for _, fs := range w.faults {
		for kind := range fs {
			if f, on := fs.on(kind, w.now); on {
				s.Faults = append(s.Faults, f.Fault)
			}
		}
	}
	return s
}
