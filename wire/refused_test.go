package wire_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	head   = `"bn":"padma/gw-1/","run":"0123456789abcdef","boot":"b","mono":1,`
	synced = head + `"bt":1795330800,"clock":"synced",`
	adrift = head + `"clock":"unsynced",`
	alarm  = `"n":"alarm/0123456789abcdef","vs":"firing","from":"pending","rule":"x","pack":"fire","version":"1",` +
		`"hazard":"fire","class":"alarm","severity":"alarm"`
)

// Each payload differs from a good one in what its name says.
func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, payload, want string }{
		{"no run", `[{"bn":"padma/gw-1/","bt":1795330800,"stream":"r","seq":1,"boot":"b","mono":1,"clock":"synced","n":"s","v":1}]`, "run"},
		{"a run in capitals", strings.ReplaceAll(`[{`+synced+`"stream":"r","seq":1,"n":"s","v":1}]`, "abcdef", "ABCDEF"), "16 lower-case hex digits"},
		{"a number for run", strings.ReplaceAll(`[{`+synced+`"stream":"r","seq":1,"n":"s","v":1}]`, `"0123456789abcdef"`, "1"), `label "run"`},
		{"no seq", `[{` + synced + `"stream":"r","n":"s","v":1}]`, `label "seq"`},
		{"seq zero", `[{` + synced + `"stream":"r","seq":0,"n":"s","v":1}]`, "seq 0"},
		{"half a seq", `[{` + synced + `"stream":"r","seq":1.5,"n":"s","v":1}]`, "whole number"},
		{"seq above 2^53", `[{` + synced + `"stream":"r","seq":9007199254740993,"n":"s","v":1}]`, "whole number"},
		{"a negative seq", `[{` + synced + `"stream":"r","seq":-1,"n":"s","v":1}]`, "whole number"},
		{"the other stream", `[{` + synced + `"stream":"a","seq":1,` + alarm + `}]`, `on a topic of stream "r"`},
		{"an unknown stream", `[{` + synced + `"stream":"x","seq":1,"n":"s","v":1}]`, "stream"},
		{"an unknown clock", `[{` + strings.ReplaceAll(synced, `"synced"`, `"maybe"`) + `"stream":"r","seq":1,"n":"s","v":1}]`, "want synced or unsynced"},
		{"no clock", `[{` + head + `"bt":1795330800,"stream":"r","seq":1,"n":"s","v":1}]`, "want synced or unsynced"},
		{"head labels again", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1},{"n":"s2","v":1,"seq":2}]`, "again in record 2"},
		{"another gateway", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1},{"bn":"padma/gw-2/","n":"s","v":1}]`, "record 2: name"},
		{"another gateway alike", `[{` + strings.ReplaceAll(synced, "gw-1/", "gw-1") + `"stream":"r","seq":1,"n":"0/s","v":1}]`, "names begin with padma/gw-1/"},
		{"a sensor in capitals", `[{` + synced + `"stream":"r","seq":1,"n":"S","v":1}]`, `sensor "S"`},
		{"no sensor", `[{` + synced + `"stream":"r","seq":1,"v":1}]`, `sensor ""`},
		{"a sensor with a slash", `[{` + synced + `"stream":"r","seq":1,"n":"a/b","v":1}]`, `sensor "a/b"`},
		{"a sum", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"s":1}]`, "sum"},
		{"a boolean", `[{` + synced + `"stream":"r","seq":1,"n":"s","vb":true}]`, "boolean"},
		{"a text", `[{` + synced + `"stream":"r","seq":1,"n":"s","vs":"31"}]`, "a reading has v"},
		{"a bad reading with a number", `[{` + synced + `"stream":"r","seq":1,"n":"s/quality","v":1}]`, "neither v nor q"},
		{"a bad reading with q", `[{` + synced + `"stream":"r","seq":1,"n":"s/quality","vs":"crc","q":"crc"}]`, "neither v nor q"},
		{"an unknown reason", `[{` + synced + `"stream":"r","seq":1,"n":"s/quality","vs":"tired"}]`, "unknown reason"},
		{"uncertain for an unknown reason", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"q":"tired"}]`, "unknown reason"},
		{"an empty q", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"q":""}]`, `label "q"`},
		{"a number for a flag", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"sim":1}]`, "want true or false"},
		{"no bt", `[{` + head + `"clock":"synced","stream":"r","seq":1,"n":"s","v":1}]`, "no bt"},
		{"bt of 1970", `[{` + head + `"bt":3600,"clock":"synced","stream":"r","seq":1,"n":"s","v":1}]`, "absolute"},
		{"a record of 1970", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"t":-1795330000}]`, "absolute"},
		{"bt of the year 10000", `[{` + head + `"bt":253402300800,"clock":"synced","stream":"r","seq":1,"n":"s","v":1}]`, "absolute"},
		{"bt finer than a millisecond", `[{` + head + `"bt":1795330800.0005,"clock":"synced","stream":"r","seq":1,"n":"s","v":1}]`, "whole milliseconds"},
		{"a time finer than a millisecond", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"t":-0.0004}]`, "whole milliseconds"},
		{"unsynced with bt", `[{` + adrift + `"bt":0,"stream":"r","seq":1,"n":"s","v":1}]`, "leave it out"},
		{"unsynced with bt later", `[{` + adrift + `"stream":"r","seq":1,"n":"s","v":1},{"n":"s2","v":1,"bt":-5}]`, "bt in record 2"},
		{"unsynced and absolute", `[{` + adrift + `"stream":"r","seq":1,"n":"s","v":1,"t":1795330800}]`, "at most 0"},
		{"unsynced in the future", `[{` + adrift + `"stream":"r","seq":1,"n":"s","v":1,"t":0.001}]`, "at most 0"},
		{"unsynced and nine years ago", `[{` + adrift + `"stream":"r","seq":1,"n":"s","v":1,"t":-284000000}]`, "at most 0"},
		{"a time twice", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1},{"n":"s","v":1}]`, "record 2: sensor s"},
		{"a time going back", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1},{"n":"s","v":1,"t":-1}]`, "record 2: sensor s"},
		{"gone that is no list", `[{` + synced + `"stream":"r","seq":9,"gone":"1-2","n":"s","v":1}]`, `label "gone"`},
		{"gone with nothing", `[{` + synced + `"stream":"r","seq":9,"gone":[],"n":"s","v":1}]`, `label "gone"`},
		{"gone without a reason", `[{` + synced + `"stream":"r","seq":9,"gone":[[1,2]],"n":"s","v":1}]`, "gone 1: want [from,to,reason]"},
		{"gone for an unknown reason", `[{` + synced + `"stream":"r","seq":9,"gone":[[1,2,"bored"]],"n":"s","v":1}]`, "gone 1: unknown reason"},
		{"gone backwards", `[{` + synced + `"stream":"r","seq":9,"gone":[[2,1,"full"]],"n":"s","v":1}]`, "from <= to"},
		{"gone from zero", `[{` + synced + `"stream":"r","seq":9,"gone":[[0,1,"full"]],"n":"s","v":1}]`, "from <= to"},
		{"gone in disorder", `[{` + synced + `"stream":"r","seq":9,"gone":[[3,4,"full"],[1,2,"full"]],"n":"s","v":1}]`, "ascending"},
		{"gone twice", `[{` + synced + `"stream":"r","seq":9,"gone":[[1,4,"full"],[4,5,"full"]],"n":"s","v":1}]`, "ascending"},
		{"neither records nor gone", `[{` + synced + `"stream":"r","seq":9}]`, "nothing to send"},
		{"an alarm among readings", `[{` + synced + `"stream":"r","seq":1,` + alarm + `}]`, "a reading has v"},
		{"1001 records", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1}` + strings.Repeat(`,{"n":"s","v":1}`, 1000) + `]`, "at most 1000 records"},
		{"257 KiB", `[{` + synced + `"stream":"r","seq":1,"n":"s","v":1,"x":"` + strings.Repeat("x", 257<<10) + `"}]`, "send at most 262144"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Readings, false), []byte(tt.payload))
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", p, err, tt.want)
			}
		})
	}
}

func TestDecodeRefusesAlarms(t *testing.T) {
	good := `[{` + synced + `"stream":"a","seq":1,` + alarm + `,"values":{"x":1}}]`
	topic := wire.PackTopic("padma", "gw-1", wire.Alarms, false)
	if _, err := wire.Decode(topic, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"a reading", `"n":"alarm/0123456789abcdef"`, `"n":"store-heat"`, "alarm/<point>"},
		{"a short point", `alarm/0123456789abcdef`, `alarm/0123`, "point"},
		{"the point again", `"rule":"x"`, `"rule":"x","point":"0123456789abcdef"`, "stands in n"},
		{"an unknown state", `"vs":"firing"`, `"vs":"burning"`, "burning"},
		{"no state before", `"from":"pending",`, ``, "from"},
		{"no rule", `"rule":"x",`, ``, "must be given"},
		{"no version", `"version":"1",`, ``, "must be given"},
		{"an unknown hazard", `"hazard":"fire"`, `"hazard":"flood"`, "hazard"},
		{"an unknown class", `"class":"alarm"`, `"class":"joke"`, "class"},
		{"an unknown severity", `"severity":"alarm"`, `"severity":"mild"`, "severity"},
		{"an unknown grade", `"rule":"x"`, `"rule":"x","grade":"best"`, "grade"},
		{"a zone in capitals", `"rule":"x"`, `"rule":"x","zone":"Store"`, "zone"},
		{"a value that is a text", `{"x":1}`, `{"x":"1"}`, "not a number"},
		{"values that are a list", `{"x":1}`, `[1]`, "object of numbers"},
		{"a control character", `"rule":"x"`, `"rule":"x\u0000"`, "control characters"},
		{"a long text", `"rule":"x"`, `"rule":"` + strings.Repeat("x", 513) + `"`, "at most 512 bytes"},
		{"a number", `"vs":"firing"`, `"v":3`, "vs = the new state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := strings.Replace(good, tt.old, tt.new, 1)
			if payload == good {
				t.Fatal("nothing replaced")
			}
			p, err := wire.Decode(topic, []byte(payload))
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", p, err, tt.want)
			}
		})
	}
}

// What other SenML writers may do means the same here.
func TestDecodeTakesEveryForm(t *testing.T) {
	for _, tt := range []struct{ name, payload string }{
		{"full names", `[{"n":"padma/gw-1/s","run":"0123456789abcdef","boot":"b","mono":1,"bt":1795330800,"clock":"synced","stream":"r","seq":1,"u":"Cel","v":21.5}]`},
		{"base unit and base value", `[{` + synced + `"stream":"r","seq":1,"bu":"Cel","bv":20},{"n":"s","v":1.5}]`},
		{"time in t", `[{` + head + `"bt":1795330000,"clock":"synced","stream":"r","seq":1,"n":"s","u":"Cel","v":21.5,"t":800}]`},
		{"an update time and foreign labels", `[{` + synced + `"stream":"r","seq":1,"n":"s","u":"Cel","v":21.5,"ut":5,"vendor":{"a":[1]}}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Readings, false), []byte(tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			want := wire.Record{At: time.Unix(1795330800, 0).UTC(), Unit: "Cel",
				Reading: safety.Reading{Sensor: "s", Value: 21.5, Quality: safety.Good}}
			if len(p.Records) != 1 || p.Records[0] != want {
				t.Errorf("got %+v", p.Records)
			}
		})
	}
}

func TestDecodeJudgesFormNotPlausibility(t *testing.T) {
	for _, year := range []int{1979, 2099, 9999} {
		p := goodPack()
		p.Sent = time.Date(year, 12, 31, 23, 59, 59, 999e6, time.UTC)
		p.Records = []wire.Record{{At: p.Sent, Reading: safety.Reading{Sensor: "s", Value: 1, Quality: safety.Good}}}
		b, err := wire.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Readings, false), b)
		if err != nil || !got.Records[0].At.Equal(p.Sent) {
			t.Errorf("%d: %v %v", year, got.Records, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*wire.Pack)
		want string
	}{
		{"NaN", func(p *wire.Pack) { p.Records[0].Reading.Value = math.NaN() }, "record 1: value NaN"},
		{"infinity", func(p *wire.Pack) { p.Records[1].Reading.Value = math.Inf(-1) }, "record 2: value -Inf"},
		{"a good reading with a reason", func(p *wire.Pack) { p.Records[0].Reading.Reason = safety.CRC }, "has no reason"},
		{"a bad reading without", func(p *wire.Pack) { p.Records[2].Reading.Reason = "" }, "record 3"},
		{"microseconds", func(p *wire.Pack) { p.Records[0].At = p.Records[0].At.Add(time.Microsecond) }, "whole milliseconds"},
		{"an offset in a synced pack", func(p *wire.Pack) { p.Records[0].Offset = -time.Second }, "clock is synced"},
		{"a time in an unsynced pack", func(p *wire.Pack) { p.Clock, p.Sent = wire.Unsynced, time.Time{} }, "clock is unsynced"},
		{"a transition among readings", func(p *wire.Pack) { p.Records[0].Transition = &safety.Transition{} }, "readings only"},
		{"a reading among transitions", func(p *wire.Pack) { p.Stream = wire.Alarms }, "transitions only"},
		{"unknown flags", func(p *wire.Pack) { p.Records[0].Reading.Flags = 128 }, "unknown flags"},
		{"an unknown quality", func(p *wire.Pack) { p.Records[0].Reading.Quality = 9 }, "unknown quality"},
		{"a unit that is no text", func(p *wire.Pack) { p.Records[0].Unit = "\xff" }, "unit"},
		{"1001 records", func(p *wire.Pack) { p.Records = make([]wire.Record, 1001) }, "at most 1000"},
		{"a clock of 1970", func(p *wire.Pack) { p.Sent = time.Unix(0, 0) }, "bt is not an absolute time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := goodPack()
			tt.edit(&p)
			for form, encode := range map[string]func(wire.Pack) ([]byte, error){"json": wire.Encode, "cbor": wire.EncodeCBOR} {
				if b, err := encode(p); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(fmt.Sprint(err), tt.want) {
					t.Errorf("%s: got %q, %v; want an error with %q", form, b, err, tt.want)
				}
			}
		})
	}
}

func TestEncodeRefusesWhatNoServerWouldTake(t *testing.T) {
	p := goodPack()
	p.Stream, p.Gone, p.Records = wire.Alarms, nil, nil
	long := strings.Repeat("x", 512)
	for range 300 {
		p.Records = append(p.Records, wire.Record{At: sent, Transition: &safety.Transition{Point: "0123456789abcdef", Rule: long, Pack: long,
			RuleVersion: "1", Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Alarm}})
	}
	if b, err := wire.Encode(p); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(fmt.Sprint(err), "send at most 262144") {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// An alarm goes out even if what its rule read was no number.
func TestAnAlarmGoesOutWithoutWhatIsNoNumber(t *testing.T) {
	p := goodPack()
	p.Stream = wire.Alarms
	p.Records = []wire.Record{{At: sent, Transition: &safety.Transition{Point: "0123456789abcdef", Rule: "x", Pack: "fire", RuleVersion: "1",
		Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Evacuate, From: safety.Pending, To: safety.Firing,
		Values: map[string]float64{"heat": 60, "rise": math.NaN(), "co": math.Inf(1)}}}}
	b, err := wire.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Alarms, false), b)
	if err != nil {
		t.Fatal(err)
	}
	if values := got.Records[0].Transition.Values; len(values) != 1 || values["heat"] != 60 {
		t.Errorf("values %v", values)
	}
}
