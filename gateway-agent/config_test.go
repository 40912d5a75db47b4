package agent_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	agent "nirapod/gateway-agent"
	"nirapod/safety"
)

func TestShippedConfigurationsHaveNoMistakes(t *testing.T) {
	demo, err := os.ReadFile("../app/demo/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"sample.yaml": agent.Sample, "demo": demo} {
		t.Run(name, func(t *testing.T) {
			cfg, err := agent.Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cfg.Check(slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
			}
			if got, want := cfg.Simulated(), name == "demo"; got != want {
				t.Errorf("simulated %v, want %v", got, want)
			}
		})
	}
}

func TestMistakesOfCounters(t *testing.T) {
	const file = `version: 1
factory: padma
gateway: gw-1
mode: production
data_dir: /tmp/x
broker: {url: "tls://x:8883", password_file: p}
buses:
  rs485-1: {open: "rtu:///dev/ttyUSB0", baud: 9600}
  rs485-2: {open: /dev/ttyUSB1}
  gpio: {open: "rtuovertcp://10.0.0.2:502"}
zones: [{id: store}]
sensors:
  - {id: a, zone: store, quantity: people, grade: industrial, period: 2s, counter: {bus: rs485-1, unit: 1}}
  - {id: b, zone: store, quantity: people_high, grade: industrial, period: 3s, counter: {bus: rs485-1, unit: 1}}
  - {id: c, zone: store, quantity: people, grade: industrial, period: 3s, counter: {bus: rs485-1, unit: 1}}
  - {id: d, zone: store, quantity: people, grade: industrial, period: 2s, counter: {bus: rs485-2, unit: 0}}
  - {id: e, zone: store, quantity: co, grade: industrial, period: 100ms, counter: {bus: rs485-1, unit: 3}}
  - {id: f, zone: store, quantity: locked, grade: industrial, period: 1s, contact: {bus: gpio, pin: GPIO1}}
`
	_, err := agent.Parse("agent.yaml", []byte(file))
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("%v, want invalid", err)
	}
	for _, want := range []string{
		"agent.yaml:9: buses.rs485-2.open: /dev/ttyUSB1: want rtu:///dev/... or rtuovertcp://host:port for Modbus units",
		"agent.yaml:10: buses.gpio.open: rtuovertcp://10.0.0.2:502: want",
		"agent.yaml:14: sensors[1].counter: rs485-1 unit 1 is read every 2s and every 3s",
		"agent.yaml:15: sensors[2].counter: people of this unit is read twice",
		"agent.yaml:16: sensors[3].counter.unit: 0: want 1 to 247",
		"agent.yaml:17: sensors[4].counter: counts people and people_high, not co",
		"agent.yaml:17: sensors[4].counter: is read once a second at most",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "agent.yaml:"); n != 7 {
		t.Errorf("%d mistakes, want 7:\n%v", n, err)
	}
}

func TestMistakesOfAirAndRegisters(t *testing.T) {
	const file = `version: 1
factory: padma
gateway: gw-1
mode: production
data_dir: /tmp/x
broker: {url: "tls://x:8883", password_file: p}
buses:
  i2c-1: {open: /dev/i2c-1}
  rs485-1: {open: "rtuovertcp://10.0.0.2:502"}
  rs485-2: {open: "sim://10.0.0.2:502/rs485-1"}
zones: [{id: z}]
hazards: [{zone: attic, kind: boiler, rated_bar: 7}, {zone: z, kind: boiler}]
sensors:
  - {id: a, zone: z, quantity: co2, grade: indicative, period: 5s, scd41: {bus: i2c-1, altitude_m: 10}}
  - {id: b, zone: z, quantity: humidity, grade: indicative, period: 10s, scd41: {bus: i2c-1, altitude_m: 20}}
  - {id: c, zone: z, quantity: co, grade: certified, period: 1s, scd41: {bus: i2c-1, altitude_m: 4000, self_calibration: true}}
  - {id: d, zone: z, quantity: pressure, grade: industrial, period: 100ms, modbus: {bus: rs485-1, unit: 0, register: 0, function: coil, type: int32, range: [16, 0]}}
  - {id: e, zone: z, quantity: locked, grade: industrial, period: 1s,
     modbus: {bus: rs485-1, unit: 2, register: 0, function: input, type: int16, word_order: middle, range: [0, 16], stuck_after: 5s}}
  - {id: f, zone: z, quantity: pressure, grade: industrial, period: 1s, modbus: {bus: rs485-1, unit: 2, register: 0, function: input, type: int16, range: [0, 16]}}
  - {id: g, zone: z, quantity: people, grade: industrial, period: 1s, counter: {bus: rs485-1, unit: 2}}
  - {id: h, zone: z, quantity: key, grade: industrial, period: 1s, contact: {bus: rs485-2, pin: X, key: acknowledge}}
attended: [{from: "06:00", to: "18:00"}, {from: "18:00", to: "06:00"}]
`
	_, err := agent.Parse("agent.yaml", []byte(file))
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("%v, want invalid", err)
	}
	wants := []string{
		"agent.yaml:10: buses.rs485-2.open: sim://10.0.0.2:502/rs485-1: mode production refuses",
		`agent.yaml:12: hazards[0].zone: zone "attic"`,
		"agent.yaml:12: hazards[1].rated_bar: is missing",
		"agent.yaml:14: sensors[0].scd41: the sensors of one part say the same of it: b differs",
		"agent.yaml:15: sensors[1].scd41: i2c-1/0x62 is read every 5s and every 10s",
		"agent.yaml:15: sensors[1].scd41: the sensors of one part say the same of it: a differs",
		"agent.yaml:16: sensors[2].scd41: measures co2, temperature and humidity, not co",
		"agent.yaml:16: sensors[2].scd41: has a sample every 5s; the period is 1s",
		"agent.yaml:16: sensors[2].scd41: i2c-1/0x62 is read every",
		"agent.yaml:16: sensors[2].scd41: is for air quality and occupancy",
		"agent.yaml:16: sensors[2].scd41: altitude 4000 m",
		"agent.yaml:16: sensors[2].scd41.self_calibration: takes the week's lowest CO2",
		"agent.yaml:16: sensors[2].scd41: the sensors of one part say the same of it: a differs",
		"agent.yaml:17: sensors[3].modbus.unit: 0: want 1 to 247",
		"agent.yaml:17: sensors[3].modbus: is read once a second at most",
		`agent.yaml:17: sensors[3].modbus.function: "coil"`,
		`agent.yaml:17: sensors[3].modbus: type "int32"`,
		"agent.yaml:19: sensors[4].modbus: is a measured number, not locked",
		`agent.yaml:19: sensors[4].modbus.word_order: "middle"`,
		"agent.yaml:19: sensors[4].modbus.stuck_after: 5s: want at least ten periods",
		"agent.yaml:20: sensors[5].modbus: input register 0 of this unit is read twice",
		"agent.yaml:21: sensors[6].counter.unit: unit 2 on rs485-1 is a unit of plain registers and a people counter",
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told", want)
		}
	}
	if n := strings.Count(err.Error(), "agent.yaml:"); n != len(wants) || t.Failed() {
		t.Errorf("%d mistakes, want %d:\n%v", n, len(wants), err)
	}
}

func TestMistakesAreAllNamedWithTheirLines(t *testing.T) {
	const file = `version: 2
factory: Padma
gateway: gw-1
mode: production
clock: sundial
data_dir: /tmp/x
broker: {url: http://x, password_file: p}
buses:
  i2c-1: {open: "sim://127.0.0.1:1/i2c-1"}
  gpio: {open: gpiochip0}
  spare: {open: "7"}
zones:
  - {id: store}
  - {id: store}
sensors:
  - {id: a, zone: store, quantity: temperature, grade: industrial, period: 1s, hdc302x: {bus: i2c-1, addr: 0x40}}
  - {id: a, zone: attic, quantity: temprature, grade: good, period: 1ms, hdc302x: {bus: i2c-9, addr: 0x44}}
  - {id: c, zone: store, quantity: smoke, grade: industrial, period: 1s}
  - {id: d, zone: store, quantity: smoke, grade: industrial, period: 1s,
     eol: {bus: i2c-1, addr: 0x48, input: 0, supply_input: 0, supply_v: 3.3, profile: mine}}
  - {id: e, zone: store, quantity: co, grade: industrial, period: 2s,
     loop_4_20ma: {bus: i2c-1, addr: 0x48, input: 0, shunt_ohm: 250, span: [0, 500], model: ne44}}
  - {id: f, zone: store, quantity: key, grade: industrial, period: 1s, contact: {bus: gpio, pin: GPIO1}}
  - {id: g, zone: store, quantity: door_open, grade: industrial, period: 1s, contact: {bus: gpio, pin: GPIO1, hold: 1ms}}
outputs:
  - {id: s, zone: store, kind: siren, bus: i2c-1, pin: GPIO2}
  - {id: t, zone: store, kind: evacuate, bus: gpio, pin: GPIO3}
delays: {v1: 8m, v2: 3m}
attended: [{from: "8", to: "20:00"}]
colour: red
`
	_, err := agent.Parse("agent.yaml", []byte(file))
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("%v, want invalid", err)
	}
	got := err.Error()
	for _, want := range []string{
		"agent.yaml:1: version: is 2",
		`agent.yaml:2: factory: "Padma"`,
		`agent.yaml:5: clock: "sundial"`,
		"agent.yaml:7: broker.url",
		"agent.yaml:9: buses.i2c-1.open: sim://127.0.0.1:1/i2c-1: mode production refuses",
		"agent.yaml:11: buses.spare: nothing is wired",
		"agent.yaml:14: zones[1].id: zone store stands twice",
		"agent.yaml:16: sensors[0].hdc302x.addr: 0x40",
		"agent.yaml:17: sensors[1].id: a stands twice",
		`agent.yaml:17: sensors[1].zone: zone "attic"`,
		"agent.yaml:17: sensors[1].quantity",
		`agent.yaml:17: sensors[1].grade: "good"`,
		"agent.yaml:17: sensors[1].period: 1ms",
		`agent.yaml:17: sensors[1].hdc302x.bus: bus "i2c-9"`,
		"agent.yaml:18: sensors[2]: c has 0 wirings",
		"agent.yaml:20: sensors[3].eol.supply_input: 0",
		`agent.yaml:20: sensors[3].eol.profile: "mine"`,
		"agent.yaml:22: sensors[4].loop_4_20ma: i2c-1/0x48 is read every 1s and every 2s",
		"agent.yaml:22: sensors[4].loop_4_20ma.input: input 0 of 0x48 is used twice",
		`agent.yaml:22: sensors[4].loop_4_20ma.model: "ne44"`,
		"agent.yaml:22: sensors[4].loop_4_20ma: shunt of 250 ohm",
		`agent.yaml:23: sensors[5].contact.key: ""`,
		"agent.yaml:24: sensors[6].contact.pin: line GPIO1 is used twice",
		"agent.yaml:24: sensors[6].contact.hold: 1ms",
		`agent.yaml:26: outputs[0].kind: "siren"`,
		"agent.yaml:26: outputs[0].bus: bus i2c-1 carries I2C devices and GPIO lines",
		"agent.yaml:25: outputs: nobody could silence",
		"agent.yaml:28: delays: v1 8m0s and v2 3m0s",
		"agent.yaml:29: attended[0]",
		"agent.yaml:29: attended: nobody could acknowledge",
		"agent.yaml:30: colour",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("not named: %s", want)
		}
	}
	if lines := strings.Count(got, "\n") + 1; lines != 33 {
		t.Errorf("%d mistakes named, want 33", lines)
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestRulesThatCannotBeBoundAreAMistake(t *testing.T) {
	text := strings.Replace(string(agent.Sample), "normal_max_c: 42", "normal_max_c: 52", 1)
	cfg, err := agent.Parse("agent.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Check(slog.New(slog.DiscardHandler)); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "store-heat") {
		t.Errorf("a class A detector where 52 °C is normal: %v, want it refused", err)
	}
}

// A gateway's file has no calendar, no exits and no licences.
func TestRulesThatAGatewayCannotDecideAreNamed(t *testing.T) {
	cfg, err := agent.Parse("agent.yaml", agent.Sample)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RulesDir, cfg.Limits = t.TempDir(), nil
	rule := "  - {name: %s, hazard: hours, class: info, severity: info, scope: %s, when: '%s', runs: [gateway], clause: c}\n"
	pack := "rules:\n" + fmt.Sprintf(rule, "at-work", "zone", "in_shift") + fmt.Sprintf(rule, "proved-open", "exit", "proved") +
		fmt.Sprintf(rule, "warm", "zone", "any(temperature, .known)")
	if err := os.WriteFile(filepath.Join(cfg.RulesDir, "own.yml"), []byte(pack), 0o600); err != nil {
		t.Fatal(err)
	}
	undecided, err := cfg.Check(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(undecided, "\n")
	for _, want := range []string{"rule at-work does not watch zone store: the site has no shifts", "rule proved-open watches nothing: no exit is known here"} {
		if !strings.Contains(got, want) {
			t.Errorf("not named: %s\n%s", want, got)
		}
	}
	if strings.Contains(got, "warm") {
		t.Errorf("a rule that can be decided is named: %s", got)
	}
}

func TestBrokerInClearIsForThisMachineOnly(t *testing.T) {
	for url, allowed := range map[string]bool{
		"tls://192.168.10.2:8883": true, "tcp://127.0.0.1:1883": true, "tcp://192.168.10.2:1883": false, "mqtt://broker:1883": false,
	} {
		text := strings.Replace(string(agent.Sample), "tls://192.168.10.2:8883", url, 1)
		_, err := agent.Parse("agent.yaml", []byte(text))
		if clear := err != nil && strings.Contains(err.Error(), "in clear"); clear == allowed {
			t.Errorf("%s: %v", url, err)
		}
	}
}
