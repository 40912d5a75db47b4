package month

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/factory"
)

// hiding is one of the six fires: where it burns, and in what it is hidden.
type hiding struct {
	zone  string
	in    factory.Kind // "": by the hour, in words
	words string
	day   int     // it is hidden in the first happening of its kind from this day on
	hour  float64 // without a kind
	after time.Duration
	recording
	burns sim.Fire // the simulator's own
}

// recording says where the course of a real fire stands: a folder and a file
// under nist-exp, and the columns that the zone's sensors take.
type recording struct {
	file      string
	heat      [factory.Heads]string // the nearest first; what is missing is as the last
	smoke, co string
	toPPM     float64
	percent   bool // smoke is light transmission, %/m
}

const homes = "NIST_Smoke_Alarms/NIST_Smoke_Alarms_SDC"

// The six. The recordings' rooms are smaller than the factory's halls: the
// sensors are taken to hang where those of the recording hung, in the room of
// the fire or next to it. The simulator's own fires stand in for them where there
// are no recordings: t² fires after smouldering, chosen.
var six = []hiding{
	{
		zone: "shed", words: "52 °C under the tin roof", day: 0, hour: 13.2,
		recording: recording{file: "USN_Hangars/USN_Hawaii_ExpData_Test_04", heat: [4]string{"C1", "E1", "N1", "W1"}},
		burns:     sim.Fire{Growth: 0.188, Peak: 4000, Burn: 12 * time.Minute},
	},
	{
		zone: "finishing", in: factory.Irons, day: 2, after: 3 * time.Hour,
		recording: recording{file: homes + "38", heat: [4]string{"TCB_1", "TCB_2"}, smoke: "SMB_1", co: "GASB_1", toPPM: 1e4},
		burns:     sim.Fire{Smoulder: time.Minute, Pyrolysis: 1, Growth: 0.047, Peak: 600, Burn: 10 * time.Minute},
	},
	{
		zone: "sewing-b", words: "the night: nobody is there", day: 9, hour: 2.6,
		recording: recording{file: homes + "33", heat: [4]string{"TCF_1", "TCF_2"}, smoke: "SMF_1"},
		burns:     sim.Fire{Smoulder: 3 * time.Minute, Pyrolysis: 2, Growth: 0.0117, Peak: 400, Burn: 10 * time.Minute},
	},
	{
		zone: "panel", in: factory.Outage, day: 12, after: 8 * time.Minute,
		recording: recording{file: "FAA_Cargo_Compartments/TestCase1_FAA_EXPDATA", heat: [4]string{"TC23"}, smoke: "LT_Mid", percent: true},
		burns:     sim.Fire{Smoulder: 2 * time.Minute, Pyrolysis: 0.5, Growth: 0.0117, Peak: 150, Burn: 10 * time.Minute},
	},
	{
		zone: "store", in: factory.Truck, day: 17, after: 2 * time.Minute,
		recording: recording{file: homes + "02", heat: [4]string{"TCF_1", "TCF_2"}, smoke: "SMF_1", co: "GASC_1", toPPM: 1e4},
		burns:     sim.Fire{Smoulder: 4 * time.Minute, Pyrolysis: 3, Growth: 0.0117, Peak: 500, Burn: 10 * time.Minute},
	},
	{
		zone: "sewing-a", in: factory.Fogging, day: 21, after: 35 * time.Minute,
		recording: recording{file: homes + "07", heat: [4]string{"TCB_1", "TCD_1"}, smoke: "SMB_1"},
		burns:     sim.Fire{Smoulder: time.Minute, Pyrolysis: 1, Growth: 0.047, Peak: 2000, Burn: 10 * time.Minute},
	},
}

// Fires places the six in the month of cfg, with the courses of the recordings
// in data, a folder that holds nist-exp; or with the simulator's own where data
// is nil. Those that begin after the last day are left out.
func Fires(cfg factory.Config, data fs.FS) ([]factory.Fire, error) {
	f, err := factory.New(cfg)
	if err != nil {
		return nil, err
	}
	var out []factory.Fire
	for _, h := range six {
		fire := factory.Fire{Name: "the simulator's own", Zone: h.zone, At: h.at(f.Plan()), Burns: h.burns, Hidden: h.words}
		if h.in != "" {
			fire.Hidden = string(h.in)
		}
		if data != nil {
			fire.Name = h.file[strings.LastIndexByte(h.file, '/')+1:]
			if fire.Course, err = h.course(data); err != nil {
				return nil, fmt.Errorf("%s: %w", h.file, err)
			}
		}
		if fire.At+factory.Aftermath < time.Duration(cfg.Days)*24*time.Hour {
			out = append(out, fire)
		}
	}
	return out, nil
}

// at is when the fire is lit.
func (h hiding) at(plan []factory.Happening) time.Duration {
	day := time.Duration(h.day) * 24 * time.Hour
	if h.in == "" {
		return day + time.Duration(h.hour*float64(time.Hour))
	}
	i := slices.IndexFunc(plan, func(p factory.Happening) bool { return p.Kind == h.in && p.At >= day })
	if i < 0 {
		return math.MaxInt64 / 2
	}
	return (plan[i].At + h.after).Truncate(time.Second)
}

// course reads a recording. Each column counts above its mean of the first 10 s;
// a value holds until the next.
func (r recording) course(data fs.FS) (factory.Course, error) {
	table, err := r.read(data)
	if err != nil {
		return nil, err
	}
	var heat [factory.Heads]func(float64) float64
	for i, name := range r.heat {
		if name == "" {
			heat[i] = heat[i-1]
			continue
		}
		if heat[i], err = table.above(name); err != nil {
			return nil, err
		}
	}
	smoke, smokeErr := table.above(r.smoke)
	co, coErr := table.above(r.co)
	return func(since time.Duration) (a factory.Added) {
		s := since.Seconds()
		for i := range a.Heat {
			a.Heat[i] = heat[i](s)
		}
		a.Smoke, a.CO = max(smoke(s), 0), max(co(s)*r.toPPM, 0)
		return a
	}, errors.Join(smokeErr, coErr)
}

// table is a recording's numbers by column; times are in the first.
type table struct {
	header []string
	rows   [][]float64
}

func (r recording) read(data fs.FS) (t table, err error) {
	file, err := data.Open("nist-exp/" + r.file + ".csv")
	if err != nil {
		return t, err
	}
	all, err := csv.NewReader(file).ReadAll()
	if err = errors.Join(err, file.Close()); err != nil || len(all) < 2 {
		return t, errors.Join(err, fs.ErrInvalid)
	}
	for _, name := range all[0] {
		t.header = append(t.header, strings.TrimSpace(name))
	}
	for _, row := range all[1:] {
		numbers := make([]float64, len(row))
		for i, cell := range row {
			numbers[i] = number(cell)
			if r.percent && t.header[i] == r.smoke {
				numbers[i] = -math.Log10(min(numbers[i], 100) / 100)
			}
		}
		if !math.IsNaN(numbers[0]) { // else a row of units
			t.rows = append(t.rows, numbers)
		}
	}
	return t, nil
}

// number is what stands in a cell, NaN if that is none.
func number(cell string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// above returns a column at a time less its mean over the first 10 s; of no
// column nothing.
func (t table) above(name string) (func(since float64) float64, error) {
	if name == "" {
		return func(float64) float64 { return 0 }, nil
	}
	column := slices.Index(t.header, name)
	if column < 0 {
		return nil, fmt.Errorf("there is no column %q", name)
	}
	zero, n := 0.0, 0.0
	for _, row := range t.rows {
		if row[0] <= 10 {
			zero, n = zero+row[column], n+1
		}
	}
	zero /= max(n, 1)
	return func(since float64) float64 {
		i, found := slices.BinarySearchFunc(t.rows, since, func(row []float64, at float64) int {
			return cmp.Compare(row[0], at)
		})
		if !found {
			i = max(i-1, 0)
		}
		return t.rows[i][column] - zero
	}, nil
}
