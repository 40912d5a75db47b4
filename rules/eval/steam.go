package eval

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

const steamPeriod = 5 // s between readings of a mote

// mote is one reading of a mote: temperature, humidity, and whether it is
// labelled as steam.
type mote struct {
	celsius, humidity float64
	labelled          bool
}

func (e *evaluator) mote(name string) (out []mote, err error) {
	file, err := e.data.Open("suthaharan-wsn/" + name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		cells := strings.Fields(lines.Text())
		if len(cells) != 5 || strings.HasPrefix(cells[0], "Reading") {
			continue
		}
		humidity, errH := strconv.ParseFloat(cells[2], 64)
		celsius, errT := strconv.ParseFloat(cells[3], 64)
		if errH != nil || errT != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, lines.Text(), fs.ErrInvalid)
		}
		out = append(out, mote{celsius, humidity, cells[4] == "1"})
	}
	return out, nil
}

// flame is what a fire adds to the room of the motes at a time after its ignition.
type flame func(since float64) (kelvin, density, co float64)

// steam plays the steam event as it was, and its twins with a real home fire
// added to what one mote measured, ignited as the steam begins.
func (e *evaluator) steam() (Set, error) {
	set := Set{Title: "Steam in a steam-prone zone", Note: "Two motes, one over hot water, as fixed detectors of class B. The twins add what a ceiling thermocouple, a smoke meter and a CO analyser measured in the home fire SDC38, ignited when the steam begins."}
	wet, err := e.mote("singlehop_indoor_moteid1_data.txt")
	if err != nil {
		return set, err
	}
	dry, err := e.mote("singlehop_indoor_moteid2_data.txt")
	if err != nil {
		return set, err
	}
	heat, smoke, err := e.fires()
	if err != nil {
		return set, err
	}
	begins := 0
	for begins < len(wet) && !wet[begins].labelled {
		begins++
	}
	ignition := float64(begins * steamPeriod)
	none := func(float64) (float64, float64, float64) { return 0, 0, 0 }
	for _, twin := range []struct {
		name, expected string
		ignition       float64
		burns          flame
	}{
		{"the steam event", "nothing", math.Inf(1), none},
		{"twin: heat of a fire", "alarm", ignition, heat},
		{"twin: smoke and CO of a fire", "alarm", ignition, smoke},
	} {
		text := steamTable(wet, dry, ignition, twin.burns)
		events, sum, err := e.replay("steam.yaml", twin.name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
		if err != nil {
			return set, err
		}
		r := judge(twin.name, events, twin.ignition)
		r.Expected, r.Days = twin.expected, float64(sum.Readings)*steamPeriod/86400
		set.Results = append(set.Results, r)
	}
	return set, nil
}

// fires returns the heat, and the smoke and CO, of SDC38 in room B, above what
// stood there in the first 10 s.
func (e *evaluator) fires() (heat, smoke flame, err error) {
	data, err := e.rows(homes + "NIST_Smoke_Alarms_SDC38.csv")
	if err != nil {
		return nil, nil, err
	}
	added := func(name string, scale float64) func(since float64) float64 {
		for i, h := range data.header {
			if strings.TrimSpace(h) == name {
				return func(since float64) float64 { return (data.above(i, since)) * scale }
			}
		}
		err = fmt.Errorf("SDC38 has no %s", name)
		return nil
	}
	kelvin, density, co := added("TCB_2", 1), added("SMB_1", 1), added("GASB_1", 10_000)
	heat = func(since float64) (float64, float64, float64) { return kelvin(since), 0, 0 }
	smoke = func(since float64) (float64, float64, float64) { return 0, density(since), co(since) }
	return heat, smoke, err
}

// above returns a column at a time less its mean over the first 10 s; the
// last value goes on.
func (r rows) above(column int, since float64) float64 {
	zero, n, value := 0.0, 0.0, 0.0
	for _, row := range r.cells {
		if row[0] <= 10 {
			zero, n = zero+row[column], n+1
		}
		if row[0] <= since {
			value = row[column]
		}
	}
	if since < 0 {
		return 0
	}
	return value - zero/n
}

func steamTable(wet, dry []mote, ignition float64, burns flame) string {
	var b strings.Builder
	b.WriteString("Time,T1,T2,RH1,RH2,OD,CO\n")
	for i := range min(len(wet), len(dry)) {
		at := float64(i * steamPeriod)
		kelvin, density, co := burns(at - ignition)
		if at < ignition {
			kelvin, density, co = 0, 0, 0
		}
		fmt.Fprintf(&b, "%g,%g,%g,%g,%g,%g,%g\n", at, wet[i].celsius+kelvin, dry[i].celsius, wet[i].humidity, dry[i].humidity, density, co)
	}
	return b.String()
}
