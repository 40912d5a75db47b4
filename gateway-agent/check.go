package agent

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"time"

	"nirapod/firmware-sim/simbus"
	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/clock"
	"nirapod/gateway-agent/device/rs485"
	"nirapod/internal/yamlfile"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	serialUnits = "Modbus units"

	shortestPeriod = 100 * time.Millisecond
	longestPeriod  = time.Hour
)

// checker gathers all mistakes of one file.
type checker struct {
	c     *Config
	f     *yamlfile.File
	found []error

	ids   map[string]bool // of sensors and outputs
	zones map[string]bool
	buses map[string]string            // bus → what it is used for
	parts map[string]map[uint16]string // bus → address → part
	wires map[string]bool              // everything that can be wired once
	steps map[string]time.Duration     // device → period
}

func (c *Config) check(f *yamlfile.File) error {
	k := checker{
		c: c, f: f, ids: map[string]bool{}, zones: map[string]bool{}, buses: map[string]string{},
		parts: map[string]map[uint16]string{}, wires: map[string]bool{}, steps: map[string]time.Duration{},
	}
	k.head()
	k.places()
	k.hazards()
	for i := range c.Limits {
		if path := fmt.Sprintf("limits[%d].value", i); f.Node(path) == nil {
			k.bad(path, "is missing: 0 is a value too and is written out")
		}
	}
	for i := range c.Sensors {
		k.sensor(fmt.Sprintf("sensors[%d]", i), &c.Sensors[i])
	}
	for i := range c.Outputs {
		k.output(fmt.Sprintf("outputs[%d]", i), &c.Outputs[i])
	}
	k.busesOpen()
	k.delays()
	return yamlfile.Join(k.found...)
}

func (k *checker) bad(path, format string, args ...any) {
	k.found = append(k.found, k.f.Errorf(path, format, args...))
}

func (k *checker) head() {
	c := k.c
	if c.Version != 1 {
		k.bad("version", "is %d; this program reads version 1", c.Version)
	}
	for path, id := range map[string]string{"factory": c.Factory, "gateway": c.Gateway} {
		if !wire.ValidID(id) {
			k.bad(path, "%q: want 1 to 63 of a-z 0-9 -, not beginning with -", id)
		}
	}
	if c.Mode != Production && c.Mode != Demo {
		k.bad("mode", "%q: want %s or %s", c.Mode, Production, Demo)
	}
	if c.Clock != clock.Auto && c.Clock != clock.Trusted {
		k.bad("clock", "%q: want %s or %s", c.Clock, clock.Auto, clock.Trusted)
	}
	if c.DataDir == "" {
		k.bad("data_dir", "is missing: nothing could be kept")
	}
	k.broker()
}

func (k *checker) broker() {
	b := k.c.Broker
	u, err := url.Parse(b.URL)
	switch {
	case err != nil:
		k.bad("broker.url", "%v", err)
	case !slices.Contains([]string{"tcp", "mqtt", "ssl", "tls", "mqtts"}, u.Scheme) || u.Host == "":
		k.bad("broker.url", "%q: want such as tcp://host:1883 or tls://host:8883", b.URL)
	}
	if u != nil && k.c.Mode == Production && slices.Contains([]string{"tcp", "mqtt"}, u.Scheme) && !loopback(u.Hostname()) {
		k.bad("broker.url", "%q: the password and alarms would go in clear; want tls://host:8883", b.URL)
	}
	if b.PasswordFile == "" {
		k.bad("broker.password_file", "is missing")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (k *checker) places() {
	for i, z := range k.c.Zones {
		path := fmt.Sprintf("zones[%d].id", i)
		switch {
		case !wire.ValidID(z.ID):
			k.bad(path, "%q: want 1 to 63 of a-z 0-9 -, not beginning with -", z.ID)
		case k.zones[z.ID]:
			k.bad(path, "zone %s stands twice", z.ID)
		}
		k.zones[z.ID] = true
	}
	if len(k.c.Sensors) == 0 {
		k.bad("sensors", "is empty: nothing is watched")
	}
}

// named checks what sensors and outputs have in common.
func (k *checker) named(path, id, zone string) {
	switch {
	case !wire.ValidID(id):
		k.bad(path+".id", "%q: want 1 to 63 of a-z 0-9 -, not beginning with -", id)
	case k.ids[id]:
		k.bad(path+".id", "%s stands twice", id)
	}
	k.ids[id] = true
	if !k.zones[zone] {
		k.bad(path+".zone", "zone %q is not among zones", zone)
	}
}

func (k *checker) output(path string, o *Output) {
	k.named(path, o.ID, o.Zone)
	if !slices.Contains([]OutputKind{OutputStaff, OutputEvacuate, OutputBeacon, OutputFault}, o.Kind) {
		k.bad(path+".kind", "%q: want %s, %s, %s or %s", o.Kind, OutputStaff, OutputEvacuate, OutputBeacon, OutputFault)
	}
	k.pin(path, o.Bus, o.Pin)
}

// pin claims a GPIO line.
func (k *checker) pin(path, bus, pin string) {
	k.use(path+".bus", bus, "GPIO lines")
	if pin == "" {
		k.bad(path+".pin", "is missing")
		return
	}
	k.once(path+".pin", bus+" "+pin, "line %s is used twice", pin)
}

// once claims something that can be wired to one thing only.
func (k *checker) once(path, what, format string, args ...any) {
	if k.wires[what] {
		k.bad(path, format, args...)
	}
	k.wires[what] = true
}

// use notes what a bus carries.
func (k *checker) use(path, bus, as string) {
	if _, ok := k.c.Buses[bus]; !ok {
		k.bad(path, "bus %q is not among buses", bus)
		return
	}
	if before := k.buses[bus]; before != "" && before != as {
		k.bad(path, "bus %s carries %s and %s", bus, before, as)
	}
	k.buses[bus] = as
}

func (k *checker) busesOpen() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Buses)) {
		path, open := "buses."+name+".open", k.c.Buses[name].Open
		switch {
		case open == "":
			k.bad(path, "is missing")
		case simulated(open) && k.c.Mode == Production:
			k.bad(path, "%s: mode production refuses simulated buses", open)
		case simulated(open):
			if c, err := simbus.Open(open); err != nil {
				k.bad(path, "%v", err)
			} else {
				_ = c.Close() // it never connected
			}
		}
		if serial := rs485.Supports(open); serial != (k.buses[name] == serialUnits) && k.buses[name] != "" && !simulated(open) {
			k.bad(path, "%s: want rtu:///dev/... or rtuovertcp://host:port for %s, and for nothing else", open, serialUnits)
		}
		if k.buses[name] == "" {
			k.bad("buses."+name, "nothing is wired to it")
		}
	}
}

func (k *checker) delays() {
	d := k.c.Delays
	if d.V1 < 0 || d.V2 < 0 || d.V1+d.V2 > annunciate.Cap {
		k.bad("delays", "v1 %v and v2 %v: want none negative and at most %v together", d.V1, d.V2, annunciate.Cap)
	}
	for i, h := range k.c.Attended {
		if _, err := h.span(); err != nil {
			k.bad(fmt.Sprintf("attended[%d]", i), "%v", err)
		}
	}
	has := func(use KeyUse) bool {
		return slices.ContainsFunc(k.c.Sensors, func(s Sensor) bool { return s.Contact != nil && s.Contact.Key == use })
	}
	sounds := slices.ContainsFunc(k.c.Outputs, func(o Output) bool { return o.Kind == OutputEvacuate })
	if len(k.c.Attended) > 0 && !has(KeyAcknowledge) {
		k.bad("attended", "nobody could acknowledge: no contact has key: %s", KeyAcknowledge)
	}
	if sounds && !has(KeyPanel) {
		k.bad("outputs", "nobody could silence the evacuation sounder: no contact has key: %s", KeyPanel)
	}
}

// Simulated reports whether any bus is a simulator.
func (c *Config) Simulated() bool {
	for _, b := range c.Buses {
		if simulated(b.Open) {
			return true
		}
	}
	return false
}

func (c *Config) flags() safety.Flags {
	if c.Simulated() {
		return safety.Simulated
	}
	return 0
}
