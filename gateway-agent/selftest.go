package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"nirapod/gateway-agent/clock"
	"nirapod/safety"
)

const (
	// listen is how long a self-test waits for each sensor to say something. An
	// SCD41 that has to be started says nothing for as long as slowListen.
	listen     = 4 * time.Second
	slowListen = 8 * time.Second
	// pulse is how long a self-test sounds each output.
	pulse = time.Second
	// agree is how far apart the temperatures of one box's sensors may be in a
	// self-test before one of them is doubted, K. Zones differ.
	agree = 25.0
)

// Check is one item of a self-test.
type Check struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// Report is the outcome of a self-test.
type Report struct {
	Gateway   string    `json:"gateway"`
	At        time.Time `json:"at"`
	Simulated bool      `json:"simulated"`
	OK        bool      `json:"ok"`
	Scans     []Scan    `json:"scans"`
	Checks    []Check   `json:"checks"`
}

// SelfTest scans the buses, listens to every sensor and judges whether what it
// says is plausible, and, with sound, sounds every output for a second. No
// agent may run on this box meanwhile.
func SelfTest(ctx context.Context, cfg Config, sound bool, log *slog.Logger) (Report, error) {
	r := Report{Gateway: cfg.Gateway, At: time.Now().UTC(), Simulated: cfg.Simulated(), Scans: ScanBuses(cfg)}
	clk, err := clock.New(cfg.Clock, log)
	if err != nil {
		return r, err
	}
	a := &Agent{cfg: cfg, log: log, clock: clk, core: newCore(&cfg, clk, log)}
	if err := a.wire(); err != nil {
		return r, errors.Join(err, a.shut())
	}
	r.Checks = append(r.Checks, Check{"clock", clk.State() == "synced", string(clk.State())})
	heard := a.listen(ctx)
	usual := medianTemperature(cfg.Sensors, heard)
	for _, s := range cfg.Sensors {
		r.Checks = append(r.Checks, judge(s, heard, usual))
	}
	if sound {
		r.Checks = append(r.Checks, a.pulse(ctx)...)
	}
	r.OK = !slices.ContainsFunc(r.Scans, func(s Scan) bool { return !s.OK() }) &&
		!slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
	return r, errors.Join(ctx.Err(), a.shut())
}

// listen runs the devices for a while and returns the newest reading of each
// sensor that is better than warming up.
func (a *Agent) listen(ctx context.Context) map[string]safety.Reading {
	wait := listen
	if slices.ContainsFunc(a.cfg.Sensors, func(s Sensor) bool { return s.SCD41 != nil }) {
		wait = slowListen
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	done := make(chan error)
	for _, run := range a.devices {
		go func() { done <- run(ctx) }()
	}
	heard := map[string]safety.Reading{}
	for left := len(a.devices); left > 0; {
		select {
		case <-done:
			left--
		case batch := <-a.core.samples:
			for _, s := range batch {
				heard[s.Sensor] = s.Reading
			}
		}
	}
	return heard
}

func judge(s Sensor, heard map[string]safety.Reading, usual float64) Check {
	c := Check{What: "sensor " + s.ID}
	switch r, any := heard[s.ID]; {
	case !any:
		c.Says = "silent"
	case r.Quality != safety.Good:
		c.Says = string(r.Reason)
	case s.Quantity == safety.Temperature && math.Abs(r.Value-usual) > agree:
		c.Says = fmt.Sprintf("%.1f Cel, and the others about %.0f", r.Value, usual)
	default:
		c.OK, c.Says = true, fmt.Sprintf("%g %s", math.Round(r.Value*100)/100, s.Quantity.Unit())
	}
	return c
}

// medianTemperature of what was heard; 0 when nothing was.
func medianTemperature(sensors []Sensor, heard map[string]safety.Reading) float64 {
	var all []float64
	for _, s := range sensors {
		if r := heard[s.ID]; s.Quantity == safety.Temperature && r.Quality == safety.Good {
			all = append(all, r.Value)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// pulse sounds one output after the other.
func (a *Agent) pulse(ctx context.Context) []Check {
	var all []Check
	for _, d := range a.outputs.drives {
		err := d.bank.Write(d.Pin, !d.ActiveLow)
		select {
		case <-ctx.Done():
		case <-time.After(pulse):
		}
		err = errors.Join(err, d.bank.Write(d.Pin, d.ActiveLow))
		c := Check{What: "output " + d.ID, OK: err == nil, Says: "sounded for a second: was it heard?"}
		if err != nil {
			c.Says = err.Error()
		}
		all = append(all, c)
	}
	return all
}
